// For tests: a running server, its clients, and targets.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { bootWith, capsule, capsuleType, MemorySink, openErrorLog, type ServerPart } from "@hemi/internal";
import contrib from "../index.ts";

/** A stage with one server of this package, `SIGN.main`. */
export async function serve(sign: string, props = "") {
  const sink = new MemorySink();
  const config = (props: string) => `stage { ${sign} "main" { .address = "127.0.0.1:0" ${props} } }`;
  const stage = await bootWith([contrib]).bootText(config(props), {
    log: openErrorLog({ sink, level: "debug" }),
  });
  await stage.start();
  const { listensOn: [address = ""] = [] }: ServerPart = stage.find(`${sign}.main`)?.part ?? {};
  const port = Number(address.split(":")[1]);
  return {
    port,
    stage,
    log: sink.lines,
    /** With other props of the server. */
    reload: (next: string) => stage.reload({ text: config(next) }),
    connect: () => TestClient.connect(port),
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

export class TestClient implements AsyncDisposable {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #hasEnded = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake?.();
    });
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#hasEnded = true;
        this.#wake?.();
      });
    }
  }

  static async connect(port: number): Promise<TestClient> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    await once(socket, "connect");
    return new TestClient(socket);
  }

  send(bytes: string | Buffer): this {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  async exactly(size: number): Promise<Buffer> {
    while (this.#received.length < size) {
      if (this.#hasEnded) throw new Error(`the server ended after ${this.#received.toString("hex")}`);
      await this.#more();
    }
    const taken = this.#received.subarray(0, size);
    this.#received = this.#received.subarray(size);
    return taken;
  }

  async through(delimiter: string): Promise<string> {
    for (;;) {
      const at = this.#received.indexOf(delimiter);
      if (at >= 0) return (await this.exactly(at + delimiter.length)).toString("latin1");
      if (this.#hasEnded) throw new Error(`the server ended after ${this.#received.toString("latin1")}`);
      await this.#more();
    }
  }

  async toTheEnd(): Promise<Buffer> {
    while (!this.#hasEnded) await this.#more();
    return this.#received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    if (!this.socket.closed) await once(this.socket, "close");
  }

  #more(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}

/** Sends back what comes, over TCP. */
export async function echoTarget(): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined).pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await Promise.resolve();
    },
  };
}

/** Sends back what comes, over UDP. */
export async function datagramTarget(): Promise<{ port: number } & AsyncDisposable> {
  const socket = createSocket("udp4");
  socket.on("message", (bytes, { port, address }) => socket.send(bytes, port, address));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

export const uint16 = (value: number): Buffer => Buffer.of(value >> 8, value & 255);

/** A datagram of UDP as a capsule. */
export const datagramCapsule = (content: Buffer): Buffer => capsule(capsuleType.datagram, Buffer.of(0), content);
