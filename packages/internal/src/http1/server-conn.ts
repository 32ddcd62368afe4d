// One connection of an HTTP/1 client: its socket, how long it is waited for, and how it ends.
//
//   idle ── first byte ──> head ── complete ──> exchan ── response complete ──> idle     (see `ClientRequests`)
//    │ idleTimeout          │ headTimeout: 408   │ contentTimeout: 408    └ 101, CONNECT ──> tunnel: the socket is in
//    │                      │                    │ handleTimeout: 503                        the hands of others
//    v                      v                    v writeTimeout
//  closed <───────────── linger <────────────────┘
//                        (our side is shut, theirs is read and dropped for a while,
//                         so that a reset does not destroy the answer on its way)

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { GateConn } from "../front/gate.ts";
import { ConnTimeouts, type Wait } from "../http/conn-timeouts.ts";
import { LingeringClose } from "../http/lingering-close.ts";
import { resumeReading } from "../net/direct-reading.ts";
import type { Peer } from "../net/peer.ts";
import { forgetSocket, leaveSocket, useSocket, type SocketUser } from "../net/socket-user.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import { ClientRequests } from "./client-requests.ts";
import type { Http1CodecServer } from "./codec-server.ts";

export class Http1Conn extends ClientRequests implements GateConn, SocketUser {
  /** Of its gate. */
  place = -1;
  readonly #timeouts: ConnTimeouts;
  #isHeld = false;
  #closing: LingeringClose | undefined;
  /** Who has the tunnel wants to be told when the server drains. */
  #tunnelDrained: (() => void) | undefined;

  /** `tls` is what the handshake of a TLS socket has established. */
  constructor(socket: Socket, peer: Peer, tls: TlsFacts | undefined, server: Http1CodecServer) {
    super(socket, peer, tls, server);
    this.#timeouts = new ConnTimeouts(socket, server, this);
    useSocket(socket, this);
    this.settle();
  }

  /**
   * Serves what has begun and nothing more. An idle client may have sent a request just now: it gets a moment, and one
   * more answer.
   */
  drain(): void {
    this.serveNoMore();
    if (this.phase === "idle") this.settle();
    this.#tunnelDrained?.();
  }

  /** The server shuts down and waits no longer. */
  destroy(): void {
    this.exchan?.endsBecauseOf("shutdown");
    this.socket.destroy();
  }

  // ---- the socket ----

  socketReceived(bytes: Buffer, isShared: boolean): void {
    if (this.#closing === undefined) this.take(bytes, isShared);
    else this.#closing.received();
  }

  socketEnded(): void {
    if (this.#closing === undefined) this.peerEnds();
    else this.#closing.peerEnded();
  }

  socketDrained(): void {
    this.output.unblocked();
    this.advance();
  }

  socketClosed(): void {
    this.stopReading();
    this.#timeouts.end();
    this.clientLeft();
    this.output.closed();
    this.server.closed(this);
  }

  #hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) this.socket.pause();
    else resumeReading(this.socket);
  }

  // ---- the ways out of HTTP/1 ----

  leaveHTTP(drained: () => void): Duplex {
    this.output.flush();
    // What came behind the head is of the protocol that was asked for.
    this.#leaveSocket();
    this.#tunnelDrained = drained;
    if (this.isLast) queueMicrotask(drained);
    return this.socket;
  }

  protected handOver(): void {
    this.#leaveSocket();
    forgetSocket(this.socket);
    this.server.handOver(this, this.socket);
  }

  /** Leaves the socket, paused, to who reads it from here on, with what has not been read. */
  #leaveSocket(): void {
    this.stopReading();
    this.#timeouts.end();
    this.#hold(true);
    leaveSocket(this.socket, this.input.take());
  }

  breakOff(isUnended: boolean): void {
    this.output.flush();
    // UNIX sockets know no reset.
    if (isUnended && this.peer.port !== 0) {
      if (this.tls === undefined) this.socket.resetAndDestroy();
      else this.tls.reset();
    } else this.socket.destroy();
  }

  protected linger(): void {
    if (this.phase === "over") return;
    this.stopReading();
    this.input.clear();
    this.output.flush();
    this.#closing = new LingeringClose(this.socket, this.server, this.#timeouts, this.hasPeerEnded);
  }

  // ---- waiting ----

  idleTimeoutChanged(): void {
    this.#timeouts.idleTimeoutChanged();
  }

  protected moved(): void {
    this.#timeouts.hasMoved = true;
  }

  /** Reads on or holds, and sets the deadline of what is waited for now. */
  protected settle(): void {
    const { output, input, exchan } = this;
    switch (this.phase) {
      case "idle":
      case "head":
        this.#hold(output.isBlocked);
        if (output.isBlocked) this.#timeouts.waitFor("write");
        else this.#timeouts.waitFor(this.phase === "idle" && this.isLast ? "drainIdle" : this.phase);
        break;
      case "exchan":
        if (exchan?.isReading === true) {
          this.#hold(false);
          this.#timeouts.waitFor("content", exchan.contentTimeout);
        } else {
          this.#hold(output.isAwaited || input.size >= this.server.settings.maxBufferedInput);
          this.#timeouts.waitFor(output.isAwaited ? "write" : "handle", exchan?.handleTimeout);
        }
        break;
      case "discard":
        this.#hold(false);
        this.#timeouts.waitFor("content");
        break;
      case "over":
    }
  }

  timedOut(wait: Wait | undefined): void {
    const { exchan, server } = this;
    const { settings } = server;
    switch (wait) {
      case "idle":
      case "drainIdle":
        this.linger();
        break;
      case "head":
        this.refuse(408, `its head was not complete after ${settings.headTimeout} ms`);
        break;
      case "content":
        this.giveContentUp(`no content came for ${exchan?.contentTimeout ?? settings.contentTimeout} ms`);
        break;
      case "handle": {
        const limit = exchan?.handleTimeout ?? settings.handleTimeout;
        server.note(this.peer, `its request was not answered within ${limit} ms`);
        this.serveNoMore();
        exchan?.giveUp();
        break;
      }
      case "write":
        server.note(this.peer, `it took nothing of its answer for ${settings.writeTimeout} ms`);
        exchan?.endsBecauseOf("writeTimeout");
        this.socket.destroy();
        break;
      case "linger":
      case undefined:
        this.socket.destroy();
    }
  }
}
