// A connection to a server, over a UDP socket of its own.
//
//   socket ── handshake: chain and name of the certificate ──> established ──> gone
//     └──────────┴── failed ──────────────────────────────────────────────────────^
//
// The system passes only datagrams of that server to the socket, and reports a port where nobody listens.

import { randomBytes, X509Certificate } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { isIP, isIPv6 } from "node:net";
import { numericOnly, receiveBuffer, type Endpoint } from "@hemi/internal";
import { errorCode } from "../http3/errors.ts";
import { whyClosed } from "./close-reason.ts";
import type { QuicConnUser } from "./conn.ts";
import { hostPort, type HostPort, type NativeConfig, type NativeQuic } from "./native.ts";
import { QuicheConn, type QuicheConnOwner } from "./quiche-conn.ts";

export interface DialledConnOptions {
  readonly native: NativeQuic;
  readonly to: Endpoint;
  /** Whom the certificate has to be of: a hostname, which is the server name, too, or an IP address. */
  readonly name: string;
  /** Whether the certificate has to be of that name. Whom its chain leads to is up to `config`. */
  readonly isVerified: boolean;
  readonly config: NativeConfig;
  /** Bytes that bring nothing, and how soon (in ms) they are allowed again: more end the connection. */
  readonly overhead: { readonly max: number; readonly recovery: number };
}

/** Who is told of the connection. */
export interface DialledConnListener {
  /** The handshake is complete. */
  established(conn: QuicheConn): QuicConnUser;
  /** A datagram has come. */
  datagramArrived(): void;
  /** It is over. Called once. `reason`: `undefined` if nothing is known. */
  gone(reason: string | undefined): void;
  /** Who uses the connection has thrown. */
  failed(error: unknown): void;
}

export class DialledConn implements QuicheConnOwner {
  readonly floodCode = errorCode.excessiveLoad;
  readonly #options: DialledConnOptions;
  readonly #listener: DialledConnListener;
  readonly #socket: Socket;
  readonly #remote: HostPort;
  #conn: QuicheConn | undefined;
  #turn: NodeJS.Immediate | undefined;
  /** Why it is about to be over. */
  #reason: string | undefined;
  #isGone = false;

  constructor(options: DialledConnOptions, listener: DialledConnListener) {
    const { address, port } = options.to;
    this.#options = options;
    this.#listener = listener;
    this.#remote = hostPort(options.to);
    this.#socket = createSocket({
      type: isIPv6(address) ? "udp6" : "udp4",
      lookup: numericOnly,
      recvBufferSize: receiveBuffer,
    });
    this.#socket.on("error", ({ message }) => this.#end(message));
    this.#socket.on("connect", () => this.#begin());
    this.#socket.connect(port, address);
  }

  get overhead(): QuicheConnOwner["overhead"] {
    return this.#options.overhead;
  }

  /** Ends the connection, and tells the server if it can. `reason`: for who is told that it is gone. */
  close(code: number, reason?: string): void {
    this.#reason ??= reason;
    this.#conn?.close(code, "");
    this.#conn?.endOfTurn();
    this.#end(undefined);
  }

  // ---- what the connection asks for ----

  send(datagram: Buffer): boolean {
    this.#socket.send(datagram);
    return this.#socket.getSendQueueSize() === 0;
  }

  isDirty(): void {
    if (!this.#isGone) this.#turn ??= setImmediate(() => this.#endTurn());
  }

  established(conn: QuicheConn): QuicConnUser {
    const { name, isVerified } = this.#options;
    const [leaf] = conn.native.peerCertChain() ?? [];
    const fault = isVerified ? whyNotOf(name, leaf) : undefined;
    if (fault === undefined) return this.#listener.established(conn);
    this.#reason = fault;
    conn.close(errorCode.noError, "");
    return nobody;
  }

  gone(conn: QuicheConn): void {
    this.#end(whyClosed(conn.native));
  }

  failed(_conn: QuicheConn, error: unknown): void {
    this.#listener.failed(error);
  }

  #begin(): void {
    // Closed as soon as it was dialled: Node.js tells that it is connected all the same.
    if (this.#isGone) return;
    const { native, name, config } = this.#options;
    const path = { from: this.#remote, to: hostPort(this.#socket.address()) };
    // An IP address is no server name (RFC 6066 3).
    const serverName = isIP(name) === 0 ? name : null;
    try {
      const begun = native.Connection.connect(serverName, randomBytes(connIdSize), path.to, path.from, config);
      const conn = new QuicheConn(begun, false, this);
      this.#conn = conn;
      this.#socket.on("message", (datagram) => {
        this.#listener.datagramArrived();
        conn.received(datagram, path);
      });
      this.isDirty();
    } catch (error) {
      this.#end(String(error));
    }
  }

  #endTurn(): void {
    const conn = this.#conn;
    this.#turn = undefined;
    if (conn === undefined) return;
    conn.endOfTurn();
    // What ends the connection has been sent: nothing that the server says now matters.
    if (conn.isClosed) this.#end(whyClosed(conn.native));
  }

  #end(reason: string | undefined): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearImmediate(this.#turn);
    this.#conn?.abandon();
    this.#socket.close();
    this.#listener.gone(this.#reason ?? reason);
  }
}

/** Why a certificate is not that of a host; `undefined`: it is. */
function whyNotOf(name: string, leaf: Uint8Array | undefined): string | undefined {
  if (leaf === undefined) return "it has shown no certificate";
  const certificate = new X509Certificate(leaf);
  const isIts = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name);
  if (isIts !== undefined) return undefined;
  return `its certificate is not for ${name}, but for ${certificate.subjectAltName ?? certificate.subject}`;
}

const nobody: QuicConnUser = { advance() {}, closed() {} };

/** Of the ID that we give, in bytes. */
const connIdSize = 16;
