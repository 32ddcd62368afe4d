// For tests: a server that reads requests strictly, and sends bytes as it is told.

import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

/** One request, as it came. */
export interface RawRequest {
  /** `GET /path HTTP/1.1` */
  readonly line: string;
  /** Field lines as they came, without their line ends. */
  readonly lines: readonly string[];
  /** By names in lower case; several of one name are joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly content: string;
  /** Trailer field lines. */
  readonly trailers: readonly string[];
}

/** One connection that came in. */
export class BackendConn {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #isEnded = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    const wake = () => this.#wake?.();
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      wake();
    });
    socket.on("end", () => {
      this.#isEnded = true;
      wake();
    });
    socket.on("error", wake);
    socket.on("close", () => {
      this.#isEnded = true;
      wake();
    });
  }

  /** The head of the next request and all of its content. Rejects when the connection ends before. */
  async request(): Promise<RawRequest> {
    const head = await this.head();
    return { ...head, ...(await this.#content(head)) };
  }

  /** The head of the next request only. */
  async head(): Promise<RawRequest> {
    const text = await this.through("\r\n\r\n");
    const [line = "", ...lines] = text.slice(0, -4).split("\r\n");
    const headers: Record<string, string> = {};
    for (const fieldLine of lines) {
      const [, name = "", value = ""] = /^([^:\s]+):[ \t]*(.*?)[ \t]*$/.exec(fieldLine) ?? [];
      if (name === "") throw new Error(`a bad field line came: ${JSON.stringify(fieldLine)}`);
      const key = name.toLowerCase();
      headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
    }
    if (headers["content-length"] !== undefined && headers["transfer-encoding"] !== undefined)
      throw new Error(`content-length and transfer-encoding came together: ${text}`);
    return { line, lines, headers, content: "", trailers: [] };
  }

  send(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  /** An answer of 200 with this text. */
  answer(text: string, fields = ""): this {
    return this.send(`HTTP/1.1 200 OK\r\n${fields}content-length: ${text.length}\r\n\r\n${text}`);
  }

  /** Waits for the other side to end or break the connection. False: more bytes came. */
  async ended(): Promise<boolean> {
    while (!this.#isEnded && this.#received.length === 0) await this.#more();
    return this.#received.length === 0;
  }

  async through(delimiter: string): Promise<string> {
    let at = this.#received.indexOf(delimiter, 0, "latin1");
    for (; at < 0; at = this.#received.indexOf(delimiter, 0, "latin1")) await this.#moreOrFail(delimiter);
    return this.#take(at + delimiter.length);
  }

  async exactly(size: number): Promise<string> {
    while (this.#received.length < size) await this.#moreOrFail(`${size} bytes`);
    return this.#take(size);
  }

  async #content({ headers }: RawRequest): Promise<Pick<RawRequest, "content" | "trailers">> {
    if (headers["transfer-encoding"] === undefined) {
      return { content: await this.exactly(Number(headers["content-length"] ?? 0)), trailers: [] };
    }
    let content = "";
    for (;;) {
      const size = parseInt(await this.through("\r\n"), 16);
      if (size === 0) break;
      content += await this.exactly(size);
      await this.through("\r\n");
    }
    const trailers: string[] = [];
    for (let line = await this.through("\r\n"); line !== "\r\n"; line = await this.through("\r\n")) {
      trailers.push(line.slice(0, -2));
    }
    return { content, trailers };
  }

  #take(size: number): string {
    const taken = this.#received.toString("latin1", 0, size);
    this.#received = this.#received.subarray(size);
    return taken;
  }

  async #moreOrFail(wanted: string): Promise<void> {
    if (this.#isEnded) {
      const rest = JSON.stringify(this.#received.toString("latin1"));
      throw new Error(`the connection ended; wanted was ${JSON.stringify(wanted)} in ${rest}`);
    }
    await this.#more();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}

/**
 * Serves connections, numbered from 0, by a script. What it throws when its connection is cut short is nobody's matter.
 */
export class RawBackend implements AsyncDisposable {
  readonly address: string;
  /** Connections that have come in, in order. */
  readonly conns: readonly BackendConn[];
  readonly #server: Server;

  private constructor(server: Server, address: string, conns: readonly BackendConn[]) {
    this.#server = server;
    this.address = address;
    this.conns = conns;
  }

  static async listen(serve: (conn: BackendConn, number: number) => Promise<unknown>, port = 0): Promise<RawBackend> {
    const conns: BackendConn[] = [];
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      const conn = new BackendConn(socket);
      const number = conns.push(conn) - 1;
      serve(conn, number).catch(() => socket.destroy());
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port was given");
    return new RawBackend(server, `127.0.0.1:${address.port}`, conns);
  }

  /** Answers every request, on every connection, by a function. */
  static answering(answer: (request: RawRequest, conn: BackendConn, number: number) => unknown): Promise<RawBackend> {
    return RawBackend.listen(async (conn, number) => {
      for (;;) await answer(await conn.request(), conn, number);
    });
  }

  get port(): number {
    return Number(this.address.split(":")[1]);
  }

  /** Connections that are there stay. */
  stopListening(): void {
    this.#server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.conns) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }
}
