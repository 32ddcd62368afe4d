// A server that speaks as much of the MySQL protocol as tests need, written from the documentation of the protocol.

import { constants, generateKeyPairSync, privateDecrypt } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { offered } from "../protocol/capabilities.ts";
import { okPacket } from "../protocol/errors.ts";
import { greetingPacket, readResponse, type ClientResponse } from "../protocol/handshake.ts";
import { headSize, int16, MessageReader, packet, PayloadReader } from "../protocol/packets.ts";
import { newScramble, plugins, proofOf } from "../protocol/passwords.ts";

export interface FakeOptions {
  readonly password?: string;
  /** The method that its users have. Default: mysql_native_password. */
  readonly plugin?: string;
  /** It does not remember proofs: it wants the password itself. */
  readonly wantsPassword?: boolean;
  /** What it answers to a command. Default: OK. */
  readonly answer?: (command: Buffer, socket: Socket) => Buffer | undefined;
  /** Sent instead of the greeting. */
  readonly first?: Buffer;
}

/** Its port, what it was told, and its connections. */
export class FakeServer implements AsyncDisposable {
  readonly responses: ClientResponse[] = [];
  readonly commands: Buffer[] = [];
  readonly sockets = new Set<Socket>();
  port = 0;
  readonly #server = createServer((socket) => this.#accept(socket));
  readonly #options: FakeOptions;

  private constructor(options: FakeOptions) {
    this.#options = options;
  }

  static async listen(options: FakeOptions = {}): Promise<FakeServer> {
    const fake = new FakeServer(options);
    fake.#server.listen(0, "127.0.0.1");
    await once(fake.#server, "listening");
    const address = fake.#server.address();
    fake.port = address !== null && typeof address === "object" ? address.port : 0;
    return fake;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(socket: Socket): void {
    const { plugin = "mysql_native_password", first } = this.#options;
    this.sockets.add(socket.on("error", () => undefined).on("close", () => this.sockets.delete(socket)));
    const scramble = newScramble();
    const own = { threadId: 7, capabilities: offered, scramble: newScramble(), plugin };
    let step: "response" | "proof" | "password" | "encrypted" | "commands" = "response";
    const reader = new MessageReader(
      () => 100_000_000,
      (bytes, start, end) => {
        const payload = Buffer.from(bytes.subarray(start + headSize, end));
        let next = (bytes[start + 3] ?? 0) + 1;
        const login = (isKnown: boolean): void => {
          step = "commands";
          socket.write(isKnown ? okPacket(next) : packet(next, denied));
        };
        switch (step) {
          case "response":
            this.responses.push(readResponse(payload));
            step = "proof";
            socket.write(packet(next, Buffer.of(0xfe), `${plugin}\0`, scramble, Buffer.of(0)));
            return;
          case "proof":
            if (proofOf(plugin, this.#password, scramble)?.equals(payload) !== true) return login(false);
            if (this.#options.wantsPassword !== true) {
              // "fast_auth_success": clients of MariaDB insist on it.
              if (plugin === plugins.sha2) socket.write(packet(next++, Buffer.of(1, 3)));
              return login(true);
            }
            step = "password";
            socket.write(packet(next, Buffer.of(1, 4)));
            return;
          case "password":
            if (!payload.equals(Buffer.of(2))) return login(false);
            step = "encrypted";
            socket.write(packet(next, Buffer.of(1), keys.publicKey));
            return;
          case "encrypted":
            return login(decrypted(payload, scramble) === this.#password);
          case "commands":
            this.commands.push(payload);
            return this.#answer(payload, socket);
        }
      },
    );
    socket.on("data", (bytes) => reader.add(bytes));
    socket.write(first ?? greetingPacket(own, "8.0.0-fake", false));
  }

  #answer(command: Buffer, socket: Socket): void {
    const answer = this.#options.answer === undefined ? okPacket(1) : this.#options.answer(command, socket);
    if (answer !== undefined) socket.write(answer);
  }

  get #password(): string {
    return this.#options.password ?? "geheim";
  }
}

/** A result of one column and one row. */
export function textResult(text: string): Buffer {
  const value = Buffer.from(text);
  return Buffer.concat([
    packet(1, Buffer.of(1)),
    packet(2, "\x03def", Buffer.alloc(20)),
    packet(3, Buffer.of(value.length), value),
    packet(4, Buffer.of(0xfe, 0, 0), int16(2), int16(0)),
  ]);
}

/** The texts of the queries among commands. */
export function queriesIn(commands: readonly Buffer[]): readonly string[] {
  return commands.filter((command) => command[0] === 3).map((command) => command.toString("utf8", 1));
}

function decrypted(bytes: Buffer, scramble: Buffer): string {
  const key = { key: keys.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING };
  const plain = privateDecrypt(key, bytes).map((byte, i) => byte ^ (scramble[i % scramble.length] ?? 0));
  return new PayloadReader(Buffer.from(plain)).text();
}

const denied = Buffer.concat([Buffer.of(0xff), int16(1045), Buffer.from("#28000Access denied")]);

const keys = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
