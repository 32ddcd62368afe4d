// A connection from its acceptance to the end of its handshake; then another one takes its place at the gate.
//
//  accepted ── first byte 0x16 ──> choice of the server ──> handshake ──> secured: passed on
//     │                                 └──────────────────┴── refused, failed, timeout, closed by peer: logged and closed
//     ├── a letter: plain HTTP, gets a response in plain HTTP, and is closed
//     └── anything else, or nothing: closed

import { Buffer } from "node:buffer";
import { AsyncLocalStorage } from "node:async_hooks";
import type { Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import type { Deadline } from "@hemi/common";
import type { GateConn } from "../gate.ts";
import { peek } from "../../net/peek.ts";
import { askNow, peerOf, type Peer } from "../../net/peer.ts";
import { handshakeRecord, maxClientHello, readClientHello } from "../../net/tls/client-hello.ts";
import { SocketTlsFacts, type TlsFacts } from "../../net/tls/tls-facts.ts";

/** The TLS server of a handshake. */
export interface HandshakeServer {
  readonly server: Server;
  /** The id of its client terms. */
  readonly terms: string;
  /** Whether the handshake itself is the purpose: the connection ends with it. Default: false. */
  readonly isChallenge?: boolean;
}

/** The services that a handshake needs from its server. Durations in milliseconds. */
export interface HandshakeHost {
  readonly settings: {
    readonly handshakeTimeout: number;
    readonly drainIdleTimeout: number;
    readonly lingerTimeout: number;
  };
  /** Whether `serverFor` needs the server name that the client sent. */
  readonly needsServerName: boolean;
  /**
   * `hello` is the ClientHello, or the part that was read. `undefined`: the name is unknown here, and the client is
   * told so. A thrown error is the reason why the handshake fails.
   */
  serverFor(
    serverName: string | undefined,
    hello: Buffer,
  ): HandshakeServer | undefined | Promise<HandshakeServer | undefined>;
  makeDeadline(onExpired: () => void): Deadline;
  /** The handshake is complete. */
  secured(socket: TLSSocket, tls: TlsFacts, handshake: TlsHandshake): void;
  /** The handshake failed or was not completed. */
  failed(address: string, reason: string): void;
  /** The response to a client that speaks plain HTTP; `undefined`: none. */
  plainAnswer(): string | undefined;
  closed(handshake: TlsHandshake): void;
}

/** The first bytes of a client. */
type Opening =
  | { readonly type: "tls"; readonly serverName: string | undefined; readonly hello: Buffer }
  | { readonly type: "http" }
  | { readonly type: "other" };

/**
 * Node's TLS server does not tell which accepted socket a secured one belongs to. The asynchronous context in which a
 * handshake was started does: all its events occur in it.
 */
const underway = new AsyncLocalStorage<TlsHandshake>();

/** Makes a TLS server report results to its handshakes. */
export function followHandshakes(server: Server): void {
  server.on("secureConnection", (socket) => underway.getStore()?.succeeded(socket));
  server.on("tlsClientError", (error) => underway.getStore()?.broke(error));
}

export class TlsHandshake implements GateConn {
  /** Of its gate. */
  place = -1;
  readonly peer: Peer;
  readonly #socket: Socket;
  readonly #host: HandshakeHost;
  readonly #deadline: Deadline;
  /** The TLS server, once it is chosen. */
  #leader: HandshakeServer | undefined;
  /** The first bytes of the client, until the handshake is complete. */
  #hello: Buffer = nothing;
  /** What it is waiting for. */
  #state: "first bytes" | "choice" | "handshake" | "over" = "first bytes";

  constructor(socket: Socket, host: HandshakeHost, peer: Peer = peerOf(socket)) {
    this.#socket = socket;
    this.#host = host;
    this.peer = askNow(peer);
    this.#deadline = host.makeDeadline(() => this.#late());
    this.#deadline.set(host.settings.handshakeTimeout);
    // The error of a socket is not needed: its "close" event follows.
    socket.on("error", noop).on("close", this.#closed);
    peek<Opening>(socket, {
      look: (bytes) => lookAt(bytes, host.needsServerName),
      found: (opening) => this.#opened(opening),
      ended: () => this.#socket.destroy(),
    });
  }

  /** A client in a handshake is about to send a request: wait a moment for it. */
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
    // If the client closes in the middle, nobody reads what it may have sent before.
    this.#socket.allowHalfOpen = false;
    underway.run(this, () => leader.server.emit("connection", this.#socket));
  }

  succeeded(socket: TLSSocket): void {
    if (this.#state !== "handshake") return void socket.destroy();
    this.#state = "over";
    // The client ends the connection when it has seen the certificate; otherwise the timeout does.
    if (this.#leader?.isChallenge === true) return void socket.on("error", noop).end();
    this.#deadline.clear();
    this.#socket.off("close", this.#closed);
    socket.allowHalfOpen = true;
    // Waiting writes would be combined to one whose progress is not visible: see `maxWrite` of TlsFacts.
    Object.defineProperty(socket, "_writev", { value: undefined });
    // A handshake is expensive for the server and cheap for the client (CVE-2011-1473).
    socket.disableRenegotiation();
    // Errors of TLS itself, unlike those of sockets, do not close the connection.
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
   * Sends a plain-text response, and closes when the client has had time to read it: a reset would destroy it on its
   * way.
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
  // All methods in use are upper-case.
  return { type: first >= 0x41 && first <= 0x5a ? "http" : "other" };
}

/** Cheaper than parsing the ClientHello. A hello split over several records is not awaited; no client sends one. */
function isRecordWhole(bytes: Buffer): boolean {
  if (bytes.length < recordHead) return false;
  const size = recordHead + bytes.readUInt16BE(recordHead - 2);
  return bytes.length >= size || size > maxClientHello || bytes[1] !== 3;
}

const recordHead = 5;

/**
 * The server name if a TLS 1.2 session is resumed: node does not report it then. `undefined`: the name of the socket is
 * right.
 */
function resumedServerName(socket: TLSSocket, hello: Buffer): string | undefined {
  if (!socket.isSessionReused() || socket.getProtocol() === "TLSv1.3") return undefined;
  const name = readClientHello(hello)?.serverName ?? "";
  // Nothing else has validated it.
  return /^[\x21-\x7e]{1,255}$/.test(name) ? name : "";
}

const nothing = Buffer.alloc(0);

/** A fatal alert, `unrecognized_name` (RFC 6066 3): node's TLS cannot send it. */
const unrecognizedName = "\x15\x03\x01\x00\x02\x02\x70";

/** Makes `no application protocol` of OpenSSL's message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason: unknown = "reason" in error ? error.reason : undefined;
  return typeof reason === "string" ? reason : error.message;
}

function noop(): void {}
