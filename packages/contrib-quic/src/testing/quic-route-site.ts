// For tests: a running quicRouter, with clients and nodes that send datagrams.

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { bootWith, MemorySink, openErrorLog, type RouterPart } from "@hemi/internal";
import contrib from "../index.ts";
import { readLongHeader } from "../initial/long-header.ts";
import { handshakePacket, shortPacket } from "./initial-packets.ts";

/** A stage with the router `quicRouter.main`; `text` is what stands in the stage. */
export async function routeQuic(text: string) {
  const sink = new MemorySink();
  const stage = await bootWith([contrib]).bootText(`stage { ${text} }`, {
    log: openErrorLog({ level: "debug", sink }),
  });
  await stage.start();
  const { listensOn }: RouterPart = stage.find("quicRouter.main")?.part ?? {};
  const port = Number(/:(\d+)$/.exec(listensOn?.[0] ?? "")?.[1]);
  return {
    stage,
    port,
    log: sink.lines,
    connect: () => PacketEnd.connect(port),
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

export const quicRoute = (cases: string, props = "") =>
  `quicRouter "main" { .address = "127.0.0.1:0" ${props} ${cases} }`;

export const quicNodes = (name: string, nodes: readonly PacketEnd[], props = "") => {
  const list = nodes.map(({ port }) => `["address": "127.0.0.1:${port}"]`).join(", ");
  return `quicBackend "${name}" { .nodes = (${list}) ${props} }`;
};

interface Received {
  readonly bytes: Buffer;
  readonly port: number;
}

/** A socket that remembers what has come. */
export class PacketEnd implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #received: Received[] = [];
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => undefined);
    socket.on("message", (bytes, { port }) => {
      this.#received.push({ bytes, port });
      this.#wake?.();
    });
  }

  static async connect(port: number): Promise<PacketEnd> {
    const socket = createSocket("udp4");
    socket.connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new PacketEnd(socket);
  }

  /**
   * A node: it answers a first packet with a handshake that gives the connection `id`, of `size` bytes, and a short
   * packet with its name and what it has got. `answers`: how often.
   */
  static async node(name: string, id: (count: number) => Buffer, { size = 60, answers = 1 } = {}): Promise<PacketEnd> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    let count = 0;
    socket.on("message", (bytes, { port, address }) => {
      const header = readLongHeader(bytes);
      const given = header && id(count++);
      for (let i = 0; i < answers; i++) {
        const answer = header && given ? handshakePacket(header.scid, given, size) : shortPacket(bytes, ` ${name}`);
        socket.send(answer, port, address);
      }
    });
    return new PacketEnd(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** How many datagrams have come that `next` was not asked for. */
  get count(): number {
    return this.#received.length;
  }

  send(datagram: Buffer): this {
    this.#socket.send(datagram);
    return this;
  }

  async next(): Promise<Received> {
    for (;;) {
      const first = this.#received.shift();
      if (first !== undefined) return first;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Sends a first packet; gives the ID of the connection that the node has named. */
  async begin(initial: Buffer): Promise<Buffer> {
    const { bytes } = await this.send(initial).next();
    const header = readLongHeader(bytes);
    if (header === undefined) throw new Error("the node has not answered with a long header");
    return Buffer.from(header.scid);
  }

  /** Sends a short packet; gives the name of the node that has answered. */
  async ask(id: Buffer, content = "?"): Promise<string> {
    const { bytes } = await this.send(shortPacket(id, content)).next();
    return bytes.toString("latin1").split(" ").at(-1) ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }
}
