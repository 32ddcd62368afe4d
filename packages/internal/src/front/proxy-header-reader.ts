// A connection from its acceptance to the end of its PROXY header; then another one takes its place at the gate.
//
//  accepted ── header ──> greeted: passed on with the client's address; the bytes after the header can be read
//     └── something else, timeout, closed by the peer ──> logged and closed

import type { Socket } from "node:net";
import type { Deadline } from "@hemi/common";
import type { GateConn } from "./gate.ts";
import { peek } from "../net/peek.ts";
import { peerOf, type Peer } from "../net/peer.ts";
import { readProxyHeader, type ProxyHeader } from "../net/read-proxy-header.ts";

/** The services that it needs from its server. Durations in milliseconds. */
export interface ProxyHeaderReaderOptions {
  readonly settings: { readonly proxyHeaderTimeout: number; readonly drainIdleTimeout: number };
  makeDeadline(onExpired: () => void): Deadline;
  /** The header has arrived. The socket is paused. */
  greeted(socket: Socket, peer: Peer, greeting: ProxyHeaderReader): void;
  /** The header is missing or late. */
  greetingFailed(address: string, reason: string): void;
  closed(greeting: GateConn): void;
}

export class ProxyHeaderReader implements GateConn {
  readonly #socket: Socket;
  readonly #host: ProxyHeaderReaderOptions;
  readonly #peer: Peer;
  readonly #deadline: Deadline;

  constructor(socket: Socket, host: ProxyHeaderReaderOptions) {
    this.#socket = socket;
    this.#host = host;
    this.#peer = peerOf(socket);
    this.#deadline = host.makeDeadline(() => this.#refuse("its PROXY header was not complete in time"));
    this.#deadline.set(host.settings.proxyHeaderTimeout);
    // The error of a socket is not needed: its "close" event follows.
    socket.on("error", noop).on("close", this.#closed);
    peek<ProxyHeader | string>(socket, {
      look: readProxyHeader,
      found: (header) => this.#found(header),
      ended: () => this.#left(),
    });
  }

  /** A new client is about to send something: wait a moment for it. */
  drain(): void {
    this.#deadline.set(this.#host.settings.drainIdleTimeout);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #found(header: ProxyHeader | string): void {
    if (typeof header === "string") return this.#refuse(header);
    const socket = this.#socket;
    this.#deadline.clear();
    socket.off("error", noop).off("close", this.#closed);
    socket.read(header.size);
    const { source } = header;
    const { address, port, local } = this.#peer;
    this.#host.greeted(socket, source === undefined ? this.#peer : { address, port, source, local }, this);
  }

  #left(): void {
    // Load balancers check a port by connecting and closing.
    if (this.#socket.bytesRead === 0) this.#socket.destroy();
    else this.#refuse("it left in the middle of its PROXY header");
  }

  #refuse(reason: string): void {
    this.#host.greetingFailed(this.#peer.address, reason);
    this.#socket.destroy();
  }

  readonly #closed = (): void => {
    this.#deadline.clear();
    this.#host.closed(this);
  };
}

function noop(): void {}
