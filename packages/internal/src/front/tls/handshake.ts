// A connection from its acceptance to the end of its handshake; then another one takes its place at the gate.
//
//   accepted ── first byte 0x16 ──> choice of the server ──> handshake ──> secured: handed on
//      │                                 └──────────────────┴── refused, broken, late, left: told, and closed
//      ├── a letter: plain HTTP, told so in its own words, and closed
//      └── anything else, nothing: closed

import { AsyncLocalStorage } from "node:async_hooks";
import type { Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import type { Deadline } from "@hemi/common";
import type { GateConn } from "../gate.ts";
import { peek } from "../../net/peek.ts";
import { peerOf, type Peer } from "../../net/peer.ts";
import { handshakeRecord, maxClientHello, readClientHello } from "../../net/tls/client-hello.ts";
import { SocketTlsFacts, type TlsFacts } from "../../net/tls/tls-facts.ts";

/** Whom a handshake is led by. */
export interface HandshakeServer {
  readonly server: Server;
  /** The id of the terms that it is led under. */
  readonly terms: string;
  /** The handshake itself is what the client wants: the connection ends with it. Default: false. */
  readonly isChallenge?: boolean;
}

/** What a handshake needs of the server that it belongs to. Durations in ms. */
export interface HandshakeHost {
  readonly settings: {
    readonly handshakeTimeout: number;
    readonly drainIdleTimeout: number;
    readonly lingerTimeout: number;
  };
  /** Whether `serverFor` has to be told the name that the client asks for. */
  readonly needsServerName: boolean;
  /**
   * `hello` is the ClientHello, or what was read of it. `undefined`: there is no such name here, and the client is told
   * so. What is thrown is the reason why there is no handshake.
   */
  serverFor(
    serverName: string | undefined,
    hello: Buffer,
  ): HandshakeServer | undefined | Promise<HandshakeServer | undefined>;
  makeDeadline(onExpired: () => void): Deadline;
  /** The handshake is complete. */
  secured(socket: TLSSocket, tls: TlsFacts, handshake: TlsHandshake): void;
  /** There was none, or it did not come to its end. */
  failed(address: string, reason: string): void;
  /** What is said to a client that speaks plain HTTP; `undefined`: nothing. */
  plainAnswer(): string | undefined;
  closed(handshake: TlsHandshake): void;
}

/** What a client begins with. */
type Opening =
  | { readonly type: "tls"; readonly serverName: string | undefined; readonly hello: Buffer }
  | { readonly type: "http" }
  | { readonly type: "other" };

/**
 * Node's TLS server does not say which accepted socket a secured one stands on. The asynchronous context in which a
 * handshake was begun does: all its events come in it.
 */
const underway = new AsyncLocalStorage<TlsHandshake>();

/** Has a server tell the handshakes that are led by it how they ended. */
export function followHandshakes(server: Server): void {
  server.on("secureConnection", (socket) => underway.getStore()?.succeeded(socket));
  server.on("tlsClientError", (error) => underway.getStore()?.broke(error));
}

export class TlsHandshake implements GateConn {
  readonly peer: Peer;
  readonly #socket: Socket;
  readonly #host: HandshakeHost;
  readonly #deadline: Deadline;
  /** Who leads it, once that is known. */
  #leader: HandshakeServer | undefined;
  /** The first bytes of the client, until the handshake is complete. */
  #hello: Buffer = nothing;
  /** What it waits for now. */
  #state: "first bytes" | "choice" | "handshake" | "over" = "first bytes";

  constructor(socket: Socket, host: HandshakeHost, peer = peerOf(socket)) {
    this.#socket = socket;
    this.#host = host;
    this.peer = peer;
    this.#deadline = host.makeDeadline(() => this.#late());
    this.#deadline.set(host.settings.handshakeTimeout);
    // What went wrong with a socket is of no use: its "close" follows.
    socket.on("error", noop).on("close", this.#closed);
    peek<Opening>(socket, {
      look: (bytes) => lookAt(bytes, host.needsServerName),
      found: (opening) => this.#opened(opening),
      ended: () => this.#socket.destroy(),
    });
  }

  /** Who has begun a handshake wants to ask something: there is a moment left for it. */
  drain(): void {
    if (this.#state !== "over") this.#deadline.set(this.#host.settings.drainIdleTimeout);
  }

  destroy(): void {
    this.#state = "over";
    this.#socket.destroy();
  }

  #opened(opening: Opening): void {
    if (opening.type === "http") return this.#refuse("it speaks plain HTTP", this.#host.plainAnswer());
    if (opening.type === "other") return this.#refuse("it speaks neither TLS nor HTTP");
    this.#hello = opening.hello;
    try {
      const found = this.#host.serverFor(opening.serverName, opening.hello);
      if (!(found instanceof Promise)) return this.#begin(found, opening.serverName);
      this.#state = "choice";
      found.then(
        (found) => {
          if (this.#state === "choice") this.#begin(found, opening.serverName);
        },
        (error: unknown) => this.broke(error),
      );
    } catch (error) {
      this.broke(error);
    }
  }

  #begin(leader: HandshakeServer | undefined, serverName = ""): void {
    if (leader === undefined) {
      const reason = serverName === "" ? "it names no server" : `it asks for the server ${serverName}`;
      return this.#refuse(reason, unrecognizedName);
    }
    this.#state = "handshake";
    this.#leader = leader;
    // A client that leaves in the middle is gone: nobody reads what it may have sent before.
    this.#socket.allowHalfOpen = false;
    underway.run(this, () => leader.server.emit("connection", this.#socket));
  }

  succeeded(socket: TLSSocket): void {
    if (this.#state !== "handshake") return void socket.destroy();
    this.#state = "over";
    // It ends the connection as soon as it has seen the certificate; if not, it is late.
    if (this.#leader?.isChallenge === true) return void socket.on("error", noop).end();
    this.#deadline.clear();
    this.#socket.off("close", this.#closed);
    socket.allowHalfOpen = true;
    // Writes that wait would be put together to one, whose progress nobody sees: see `maxWrite` of TlsFacts.
    Object.defineProperty(socket, "_writev", { value: undefined });
    // A handshake costs the server much and the client little (CVE-2011-1473).
    socket.disableRenegotiation();
    // Faults of TLS itself, unlike those of sockets, do not end the connection.
    socket.on("error", () => socket.destroy());
    const facts = new SocketTlsFacts(
      socket,
      this.#socket,
      this.#leader?.terms ?? "",
      resumedServerName(socket, this.#hello),
    );
    this.#hello = nothing;
    this.#host.secured(socket, facts, this);
  }

  get #address(): string {
    return (this.peer.source ?? this.peer).address;
  }

  broke(error: unknown): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#host.failed(this.#address, reasonOf(error));
    this.#socket.destroy();
  }

  #late(): void {
    const isSilent = this.#state === "first bytes" && this.#socket.bytesRead === 0;
    if (this.#state !== "over") {
      this.#host.failed(this.#address, isSilent ? "it said nothing in time" : "its handshake was not complete in time");
    }
    this.destroy();
  }

  /**
   * Says something in the clear, and closes once the client has had the time to read it: a reset would destroy it on
   * its way.
   */
  #refuse(reason: string, answer?: string): void {
    this.#state = "over";
    this.#host.failed(this.#address, reason);
    if (answer === undefined) return void this.#socket.destroy();
    this.#socket.end(answer, "latin1").resume();
    this.#deadline.set(this.#host.settings.lingerTimeout);
  }

  readonly #closed = (): void => {
    if (this.#state === "handshake" || this.#state === "choice")
      this.#host.failed(this.#address, "it left in the middle of the handshake");
    this.#state = "over";
    this.#deadline.clear();
    this.#host.closed(this);
  };
}

function lookAt(bytes: Buffer, needsServerName: boolean): Opening | undefined {
  const [first = 0] = bytes;
  if (first === handshakeRecord) {
    if (!needsServerName)
      return isRecordWhole(bytes) ? { type: "tls", serverName: undefined, hello: bytes } : undefined;
    const hello = readClientHello(bytes);
    return hello && { type: "tls", serverName: hello.serverName, hello: bytes };
  }
  // Methods are in capitals, all that are in use.
  return { type: first >= 0x41 && first <= 0x5a ? "http" : "other" };
}

/**
 * Costs less than to read the ClientHello. One that is spread over several records is not waited for; nobody sends such
 * a one.
 */
function isRecordWhole(bytes: Buffer): boolean {
  if (bytes.length < recordHead) return false;
  const size = recordHead + bytes.readUInt16BE(recordHead - 2);
  return bytes.length >= size || size > maxClientHello || bytes[1] !== 3;
}

const recordHead = 5;

/**
 * What the client asks for where a session of TLS 1.2 goes on: node tells none then. `undefined`: what the socket tells
 * is right.
 */
function resumedServerName(socket: TLSSocket, hello: Buffer): string | undefined {
  if (!socket.isSessionReused() || socket.getProtocol() === "TLSv1.3") return undefined;
  const name = readClientHello(hello)?.serverName ?? "";
  // Nobody else has looked at it.
  return /^[\x21-\x7e]{1,255}$/.test(name) ? name : "";
}

const nothing = Buffer.alloc(0);

/** A fatal alert, `unrecognized_name` (RFC 6066 3): node's TLS has no way to send it. */
const unrecognizedName = "\x15\x03\x01\x00\x02\x02\x70";

/** `no application protocol`, out of what OpenSSL makes of it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason: unknown = "reason" in error ? error.reason : undefined;
  return typeof reason === "string" ? reason : error.message;
}

function noop(): void {}
