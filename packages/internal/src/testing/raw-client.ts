// For tests: a client that sends bytes as it is told, and reads responses strictly.

import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import { readHead, readResponse, type ByteSource, type ReceivedHead, type ReceivedResponse } from "./read-response.ts";

export class RawClient implements ByteSource, AsyncDisposable {
  readonly socket: net.Socket;
  /** The socket that TLS runs over; without TLS the same. */
  readonly #beneath: net.Socket;
  #received: Buffer[] = [];
  #size = 0;
  #isEnded = false;
  #error: Error | undefined;
  /** Called when something has come, the end too. */
  #wake: (() => void) | undefined;

  private constructor(socket: net.Socket, beneath: net.Socket) {
    this.socket = socket;
    this.#beneath = beneath;
    const wake = () => this.#wake?.();
    socket.on("data", (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#size += chunk.length;
      wake();
    });
    socket.on("end", () => {
      this.#isEnded = true;
      wake();
    });
    socket.on("error", (error) => {
      this.#error = error;
      wake();
    });
    socket.on("close", wake);
  }

  /** The other side of a connection: of a socket that was accepted. */
  static over(socket: net.Socket): RawClient {
    return new RawClient(socket, socket);
  }

  /** By TLS if it is told how. Rejects when the handshake fails. */
  static async connect(to: net.NetConnectOpts, secure?: tls.ConnectionOptions): Promise<RawClient> {
    const beneath = net.connect({ allowHalfOpen: true, noDelay: true, ...to });
    await once(beneath, "connect");
    if (secure === undefined) return new RawClient(beneath, beneath);
    const socket = tls.connect({ ...secure, socket: beneath });
    await once(socket, "secureConnect");
    return new RawClient(socket, beneath);
  }

  /** Line ends may be written as `\n` in requests that are to be right: see `request`. Here bytes go as they are. */
  send(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  /** Each byte in a packet of its own, as near as one gets to that. */
  async sendByteByByte(bytes: string): Promise<this> {
    for (const byte of Buffer.from(bytes, "latin1")) {
      await new Promise((resolve) => this.socket.write(Buffer.of(byte), resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    return this;
  }

  /** Shuts our side; we still read. */
  end(): this {
    this.socket.end();
    return this;
  }

  /** Leaves with a reset. */
  reset(): void {
    this.#beneath.resetAndDestroy();
  }

  head(): Promise<ReceivedHead> {
    return readHead(this);
  }

  /** The next final response with its content. */
  response(method?: string): Promise<ReceivedResponse> {
    return readResponse(this, method);
  }

  async responses(count: number): Promise<ReceivedResponse[]> {
    const responses: ReceivedResponse[] = [];
    while (responses.length < count) responses.push(await this.response());
    return responses;
  }

  /** Waits for a byte or the end. False: there are no more bytes. */
  async hasMore(): Promise<boolean> {
    while (!this.#isEnded && this.#error === undefined && this.#size === 0) await this.#more();
    return this.#size > 0;
  }

  /**
   * How the server ends the connection, once all that it sent has been read: `end`, `reset`, or what came before, as
   * text.
   */
  async ending(): Promise<string> {
    if (await this.hasMore()) return Buffer.concat(this.#received).toString("latin1");
    return this.#isEnded ? "end" : "reset";
  }

  async through(delimiter: string): Promise<string> {
    for (;;) {
      const whole = this.#whole();
      const at = whole.indexOf(delimiter);
      if (at >= 0) return this.#take(at + delimiter.length).toString("latin1");
      await this.#moreOrFail(`a ${JSON.stringify(delimiter)} after ${JSON.stringify(whole.toString("latin1"))}`);
    }
  }

  async exactly(size: number): Promise<Buffer> {
    while (this.#size < size) await this.#moreOrFail(`${size - this.#size} bytes more`);
    return this.#take(size);
  }

  async toTheEnd(): Promise<Buffer> {
    while (!this.#isEnded) {
      if (this.#error !== undefined) throw this.#error;
      await this.#more();
    }
    return this.#take(this.#size);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.closed) return;
    const closed = once(this.socket, "close");
    this.socket.destroy();
    await closed;
  }

  #whole(): Buffer {
    const whole = Buffer.concat(this.#received);
    this.#received = [whole];
    return whole;
  }

  #take(size: number): Buffer {
    const whole = this.#whole();
    this.#received = size === whole.length ? [] : [whole.subarray(size)];
    this.#size -= size;
    return whole.subarray(0, size);
  }

  async #moreOrFail(wanted: string): Promise<void> {
    if (this.#error !== undefined)
      throw new Error(`the connection broke; wanted was ${wanted}`, { cause: this.#error });
    if (this.#isEnded || this.socket.closed) throw new Error(`the server ended the connection; wanted was ${wanted}`);
    await this.#more();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}

/** Text of requests that are to be right: `\n` stands for CRLF. */
export function crlf(text: string): string {
  return text.replaceAll("\n", "\r\n");
}

/** A request with a host; content is sized unless the fields say otherwise. */
export function request(line: string, fields: Readonly<Record<string, string>> = {}, content = ""): string {
  const all: Record<string, string> = { host: "test.example", ...fields };
  if (content !== "" && all["transfer-encoding"] === undefined) all["content-length"] ??= String(content.length);
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${lines.join("")}\r\n${content}`;
}
