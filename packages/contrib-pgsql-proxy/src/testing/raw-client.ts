// A client of PostgreSQL that does what the protocol says, as far as it is told to.

import { once } from "node:events";
import type { Socket } from "node:net";
import { readError } from "../protocol/errors.ts";
import { int32, message, MessageReader } from "../protocol/messages.ts";
import { ScramClient } from "../protocol/scram.ts";
import { startupMessage } from "../protocol/startup.ts";

export class RawClient {
  readonly socket: Socket;
  readonly received: Buffer[] = [];
  readonly #closed: Promise<unknown>;

  constructor(socket: Socket) {
    this.socket = socket;
    const reader = new MessageReader({
      maxMessageSize: 1_000_000,
      message: (_type, bytes, start, end) => void this.received.push(Buffer.from(bytes.subarray(start, end))),
    });
    socket.on("data", (bytes) => reader.add(bytes)).on("error", () => undefined);
    this.#closed = once(socket, "close");
  }

  /** The types of messages so far. */
  get types(): string {
    return this.received.map((bytes) => bytes.toString("latin1", 0, 1)).join("");
  }

  async next(count: number): Promise<Buffer> {
    while (this.received.length < count) await once(this.socket, "data");
    return this.received[count - 1] ?? Buffer.alloc(0);
  }

  /** Until seven messages have come, if it is let in. */
  async logIn(password: string, size = 1000, params: ReadonlyMap<string, string> = new Map()): Promise<void> {
    const scram = new ScramClient(password);
    const first = Buffer.from(scram.first);
    this.send(startupMessage("ann", "shop", params), size);
    await this.next(1);
    this.send(message("p", "SCRAM-SHA-256\0", int32(first.length), first), size);
    const challenge = await this.next(2);
    this.send(message("p", scram.final(challenge.toString("utf8", 9)) ?? ""), size);
  }

  send(bytes: Buffer, size = 1000): void {
    for (let at = 0; at < bytes.length; at += size) this.socket.write(bytes.subarray(at, at + size));
  }

  /** The last error, when the connection is closed. */
  async error(): Promise<{ readonly state: string; readonly text: string }> {
    await this.#closed;
    const last = this.received.at(-1) ?? Buffer.alloc(0);
    return readError(last, 0, last.length);
  }
}
