// A client of the MySQL protocol that does what a test says, byte by byte if need be.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { offered } from "../protocol/capabilities.ts";
import { responsePacket } from "../protocol/handshake.ts";
import { headSize, MessageReader, packet } from "../protocol/packets.ts";
import { encryptedPassword, proofOf } from "../protocol/passwords.ts";
import { readSwitch } from "../server/server-auth.ts";

export class RawClient {
  readonly socket: Socket;
  /** The packets so far. */
  readonly received: Buffer[] = [];
  readonly #closed: Promise<unknown>;
  #taken = 0;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const reader = new MessageReader(
      () => 100_000_000,
      (bytes, start, end) => this.received.push(Buffer.from(bytes.subarray(start, end))),
    );
    this.socket.on("data", (bytes) => reader.add(bytes)).on("error", () => undefined);
    this.#closed = once(this.socket, "close");
  }

  /** The next packet. */
  async next(): Promise<Buffer> {
    const at = this.#taken++;
    while (this.received.length <= at) await once(this.socket, "data");
    return this.received[at] ?? Buffer.alloc(0);
  }

  async closed(): Promise<void> {
    await this.#closed;
  }

  /** `size`: of the pieces. */
  send(bytes: Buffer, size = bytes.length): void {
    for (let at = 0; at < bytes.length; at += size) this.socket.write(bytes.subarray(at, at + size));
  }

  command(code: number, text = "", size?: number): void {
    this.send(packet(0, Buffer.of(code), text), size);
  }

  respond(database = "", user = "ann", size?: number): void {
    const empty = Buffer.alloc(0);
    this.send(
      responsePacket(1, {
        capabilities: offered & ~(1 << 11),
        maxPacket: 1 << 24,
        charset: 45,
        user,
        proof: empty,
        database,
        plugin: "mysql_native_password",
        attributes: Buffer.of(0),
      }),
      size,
    );
  }

  /** Answers every request until the login is over. Returns the last packet's payload. */
  async logIn(password = "geheim", database = "", size?: number, user = "ann"): Promise<Buffer> {
    await this.next();
    this.respond(database, user, size);
    let known: Buffer = Buffer.alloc(0);
    for (;;) {
      const answer = await this.next();
      const payload = answer.subarray(headSize);
      const reply = (proof: Buffer): void => this.send(packet((answer[3] ?? 0) + 1, proof), size);
      if (payload[0] === 0 || payload[0] === 0xff) return payload;
      if (payload[0] === 0xfe) {
        const { plugin, scramble } = readSwitch(payload);
        known = scramble;
        reply(proofOf(plugin, password, scramble) ?? Buffer.alloc(0));
      } else if (payload[1] === 4) reply(Buffer.of(2));
      else if (payload[1] !== 3) reply(encryptedPassword(password, known, payload.subarray(1)));
    }
  }
}
