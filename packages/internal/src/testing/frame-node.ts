// For tests: a server that reads the frames of those who ask it, and sends frames as it is told, right ones and wrong
// ones.

import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { proxyTo, type ProxyOptions, type TestProxy } from "./proxy.ts";
import { RawClient } from "./raw-client.ts";
import { frameFlag, frameType, preface } from "../http2/frames.ts";
import { frame, FrameClient, settings } from "./frame-client.ts";

type Fields = Readonly<Record<string, string>>;

/** One connection that came in. */
export class FrameNodeConn extends FrameClient {
  /** The head of an answer; `text` is all of its content. */
  answer(id: number, fields: Fields = {}, text?: string): this {
    const isEnd = text === undefined;
    const flags = frameFlag.endHeaders | (isEnd ? frameFlag.endStream : 0);
    this.send(frame(frameType.headers, flags, id, this.block({ ":status": "200", ...fields })));
    return text === undefined ? this : this.send(this.data(id, text, true));
  }

  /** A head that more follows. */
  begin(id: number, fields: Fields = {}): this {
    const block = this.block({ ":status": "200", ...fields });
    return this.send(frame(frameType.headers, frameFlag.endHeaders, id, block));
  }

  goawayWith(lastStreamId: number, code: number): this {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(code, payload.writeUInt32BE(lastStreamId));
    return this.send(frame(frameType.goaway, 0, 0, payload));
  }
}

export class FrameNode implements AsyncDisposable {
  /** Those that came in, in their order. */
  readonly conns: FrameNodeConn[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `serve` is called for each connection, once its preface has come and our settings have gone out. */
  static async listen(
    serve: (conn: FrameNodeConn, index: number) => void | Promise<void>,
    values: Readonly<Record<number, number>> | undefined = {},
  ): Promise<FrameNode> {
    const server = createServer({ noDelay: true }, (socket) => {
      const conn = new FrameNodeConn(RawClient.over(socket));
      const index = node.conns.push(conn) - 1;
      void (async () => {
        const begin = await conn.raw.exactly(preface.length);
        if (!preface.equals(begin)) throw new Error("it does not begin with the preface");
        conn.send(frame(frameType.settings, 0, 0, settings(values)), frame(frameType.settings, frameFlag.ack, 0));
        await serve(conn, index);
      })().catch(() => socket.destroy());
    });
    const node = new FrameNode(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return node;
  }

  get address(): string {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { raw } of this.conns) raw.socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** A proxy to nodes that speak HTTP/2. */
export function proxyToHTTP2(nodes: readonly FrameNode[], options: ProxyOptions = {}): Promise<TestProxy> {
  const signs = { backend: "http2Backend", handlet: "httpProxy" };
  return proxyTo(
    nodes.map(({ address }) => address),
    { signs, ...options },
  );
}
