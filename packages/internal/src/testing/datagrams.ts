// For tests: a running udpsRouter, with clients and nodes that send datagrams.

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { bootWith } from "../boot.ts";
import type { RouterPart } from "../layer4/kinds.ts";
import type { BootOptions } from "../stage/boot.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";

/** A stage with the router `udpsRouter.main`; `text` is what stands in the stage. */
export async function routeDatagrams(text: string, options: Pick<BootOptions, "use"> = {}) {
  const sink = new MemorySink();
  const stage = await bootWith([]).bootText(`stage { ${text} }`, {
    log: openErrorLog({ level: "debug", sink }),
    ...options,
  });
  await stage.start();
  const { listensOn }: RouterPart = stage.find("udpsRouter.main")?.part ?? {};
  const port = Number(/:(\d+)$/.exec(listensOn?.[0] ?? "")?.[1]);
  return {
    stage,
    port,
    listensOn: listensOn ?? [],
    log: sink.lines,
    connect: (host = "127.0.0.1") => DatagramEnd.connect(port, host),
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

export const datagramRouter = (cases: string, props = "") =>
  `udpsRouter "main" { .address = "127.0.0.1:0" ${props} ${cases} }`;

export const datagramsTo = (name: string, nodes: DatagramEnd | readonly string[], props = "") => {
  const addresses = nodes instanceof DatagramEnd ? [nodes.address] : nodes;
  const list = addresses.map((address) => `["address": "${address}"]`).join(", ");
  return `udpsBackend "${name}" { .nodes = (${list}) ${props} }`;
};

/** A socket that remembers what has come. */
export class DatagramEnd implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #received: { readonly text: string; readonly from: RemoteInfo }[] = [];
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => undefined);
    socket.on("message", (bytes, from) => {
      this.#received.push({ text: bytes.toString("latin1"), from });
      this.#wake?.();
    });
  }

  /** A client, which gets datagrams of that address only. */
  static async connect(port: number, host: string): Promise<DatagramEnd> {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    socket.connect(port, host);
    await once(socket, "connect");
    return new DatagramEnd(socket);
  }

  /** A node that sends what `answer` makes of each datagram. */
  static async answering(answer: (text: string) => readonly (string | Buffer)[], port = 0): Promise<DatagramEnd> {
    const socket = createSocket("udp4");
    socket.bind(port, "127.0.0.1");
    await once(socket, "listening");
    socket.on("message", (bytes, { port, address }) => {
      for (const text of answer(bytes.toString("latin1"))) socket.send(bytesOf(text), port, address);
    });
    return new DatagramEnd(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Everything that has come, and was not asked for by `next`. */
  get received(): readonly string[] {
    return this.#received.map(({ text }) => text);
  }

  send(datagram: string | Buffer): this {
    this.#socket.send(bytesOf(datagram));
    return this;
  }

  async next(): Promise<{ readonly text: string; readonly from: RemoteInfo }> {
    for (;;) {
      const first = this.#received.shift();
      if (first !== undefined) return first;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async text(): Promise<string> {
    return (await this.next()).text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }
}

/** A text has a byte in each character. */
function bytesOf(datagram: string | Buffer): Buffer {
  return typeof datagram === "string" ? Buffer.from(datagram, "latin1") : datagram;
}
