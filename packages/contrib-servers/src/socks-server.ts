// socksServer: SOCKS5 (RFC 1928, RFC 1929) and SOCKS4a.
//
//  greeting ─> method ─> name and password ─> request ─┬─ CONNECT ────────> bytes both ways
//  (5 only)              (if they are needed)          └─ UDP ASSOCIATE ──> SocksRelay, until the connection ends

import type { Socket } from "node:net";
import { connTaker, type Context, defineServer, splice } from "@hemi/internal";
import { checkClientAccess, isRightPassword } from "./client-access.ts";
import { ConnServer, type ServedSocket } from "./conn-server.ts";
import { addressBytes, readAddress } from "./socks-address.ts";
import { socksProps, type SocksSettings } from "./socks-props.ts";
import { SocksRelay } from "./socks-relay.ts";
import { BadInput, SocketReader } from "./socket-reader.ts";
import { dialTarget, type Target, type TargetFailure } from "./target.ts";

/**
 * A SOCKS proxy: CONNECT and UDP ASSOCIATE of version 5, CONNECT of versions 4 and 4a. Its targets are judged after
 * their names are resolved: private, loopback and otherwise special addresses are refused, unless `allowAddresses` has
 * them. Names and passwords go over the wire in plain text.
 */
export const socksServer = defineServer({
  sign: "socksServer",
  props: socksProps,
  check(context) {
    ConnServer.check(context);
    checkClientAccess(context);
  },
  offers: [connTaker],
  create(context): ConnServer {
    const server: ConnServer = new ConnServer(context, (conn) => new SocksConn(context, server, conn).serve());
    return server;
  },
});

class SocksConn {
  readonly #context: Context<SocksSettings>;
  readonly #server: ConnServer;
  readonly #conn: ServedSocket;
  readonly #reader: SocketReader;

  constructor(context: Context<SocksSettings>, server: ConnServer, conn: ServedSocket) {
    this.#context = context;
    this.#server = server;
    this.#conn = conn;
    this.#reader = new SocketReader(conn.socket);
  }

  async serve(): Promise<void> {
    const { socket } = this.#conn;
    const deadline = this.#server.makeDeadline(() => socket.destroy());
    deadline.set(this.#context.props.handshakeTimeout);
    try {
      const version = await this.#reader.uint8();
      if (version === 5) await this.#serve5();
      else if (version === 4) await this.#serve4();
      else throw new BadInput(`version ${version}`);
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
      socket.end();
      socket.destroySoon();
    } finally {
      deadline.clear();
    }
  }

  get #needsPassword(): boolean {
    return !this.#context.props.allow.contains(this.#conn.client.address);
  }

  // ---- version 5 ----

  async #serve5(): Promise<void> {
    await this.#authenticate();
    const [version, command] = await this.#reader.exactly(3);
    const target = await readAddress(this.#reader);
    if (version !== 5) throw new BadInput(`version ${version}`);
    if (target === undefined) return this.#refuse5(reply.addressType);
    if (command === 1) return await this.#connect(target, (code) => reply5(code), { ok: reply.ok, failed: codeOf });
    if (command === 3) return this.#associate();
    this.#refuse5(reply.command);
  }

  async #authenticate(): Promise<void> {
    const { socket } = this.#conn;
    const methods = await this.#reader.exactly(await this.#reader.uint8());
    const method = this.#needsPassword ? byPassword : withoutPassword;
    if (!methods.includes(method)) {
      socket.write(Buffer.of(5, 0xff));
      throw new BadInput("no method in common");
    }
    socket.write(Buffer.of(5, method));
    if (method !== byPassword) return;
    const version = await this.#reader.uint8();
    const name = await this.#reader.exactly(await this.#reader.uint8());
    const password = await this.#reader.exactly(await this.#reader.uint8());
    const isRight = version === 1 && isRightPassword(this.#context.props, name.toString(), password.toString());
    socket.write(Buffer.of(1, isRight ? 0 : 1));
    if (!isRight) throw new BadInput("wrong name or password");
  }

  #associate(): void {
    const { socket, client } = this.#conn;
    const relay = new SocksRelay(this.#context, client.address, socket.localAddress ?? "127.0.0.1");
    socket.once("close", () => relay.close());
    relay.open(
      (local) => socket.write(reply5(reply.ok, local)),
      () => this.#refuse5(reply.general),
    );
    // The association lasts as long as the connection, which carries nothing more.
    socket.setTimeout(0);
    this.#reader.release().on("data", () => undefined);
    socket.on("end", () => socket.end()).resume();
    const idle = this.#server.makeDeadline(() => {
      if (relay.isIdle()) socket.destroy();
      else wait();
    });
    const wait = (): void => idle.set(this.#context.props.idleTimeout);
    wait();
    this.#conn.idleTimeoutChanged = wait;
    this.#conn.draining.addEventListener("abort", () => {
      idle.clear();
      socket.destroy();
    });
  }

  #refuse5(code: number): void {
    this.#conn.socket.write(reply5(code));
    throw new BadInput(`refused with ${code}`);
  }

  // ---- version 4 ----

  async #serve4(): Promise<void> {
    const command = await this.#reader.uint8();
    const port = await this.#reader.uint16();
    const ip = await this.#reader.exactly(4);
    await this.#reader.until("\0", 255);
    // 0.0.0.x with x above 0: a name follows (4a).
    const isName = ip.readUInt32BE() < 256 && ip.readUInt32BE() > 0;
    const host = isName ? (await this.#reader.until("\0", 255)).toString("latin1") : ip.join(".");
    const answer = (code: number): Buffer => Buffer.of(0, code, 0, 0, 0, 0, 0, 0);
    // It has no passwords.
    if (command !== 1 || this.#needsPassword) {
      this.#conn.socket.write(answer(0x5b));
      throw new BadInput("refused");
    }
    await this.#connect({ host, port }, answer, { ok: 0x5a, failed: () => 0x5b });
  }

  // ---- both ----

  async #connect(
    target: Target,
    answer: (code: number) => Buffer,
    { ok, failed }: { readonly ok: number; readonly failed: (failure: TargetFailure) => number },
  ): Promise<void> {
    const { socket, client } = this.#conn;
    const there = await dialTarget(this.#context, target);
    if (typeof there === "string") {
      this.#context.log.info(`client ${client.address}: ${target.host} port ${target.port}: ${there}`);
      socket.write(answer(failed(there)));
      throw new BadInput(there);
    }
    if (socket.destroyed) return void there.destroy();
    socket.write(answer(ok));
    this.#splice(this.#reader.releaseTo(there), there);
  }

  #splice(here: Socket, there: Socket): void {
    const { deadlines } = this.#server;
    const { props } = this.#context;
    const options = { deadlines, idleTimeout: () => props.idleTimeout, expired: () => undefined };
    this.#conn.idleTimeoutChanged = splice(here, there, options);
  }
}

/** Codes of replies (RFC 1928 6). */
const reply = { ok: 0, general: 1, forbidden: 2, unreachable: 4, refused: 5, timeout: 6, command: 7, addressType: 8 };
const withoutPassword = 0;
const byPassword = 2;

function codeOf(failure: TargetFailure): number {
  switch (failure) {
    case "forbidden":
      return reply.forbidden;
    case "unknownHost":
    case "unreachable":
      return reply.unreachable;
    case "refused":
      return reply.refused;
    case "timeout":
      return reply.timeout;
    case "busy":
      return reply.general;
  }
}

function reply5(code: number, bound = { address: "0.0.0.0", port: 0 }): Buffer {
  return Buffer.concat([Buffer.of(5, code, 0), addressBytes(bound)]);
}
