// One connection to an HTTP/3 server: many requests at once, each on a stream of its own.
//
//   dialing -- handshake, the node's SETTINGS --> open -- GOAWAY, no stream for aliveTimeout --> leaving
//      | dialTimeout     a mistake of the node's,  |                                             | no stream left
//      |               a PING that is not answered v                                             v
//      +----------------------------------------> closed <---------------------------------------+
//
// This is the life of the connection; that of its streams is in node-streams.ts.

import type { Deadline } from "@hemi/common";
import {
  NodeConnTimeouts,
  type FailureCode,
  type NodeConnTimeoutsOwner,
  type PooledConn,
  type WaitedForConn,
} from "@hemi/internal";
import type { Http3NodeSettings } from "../http3-node-props.ts";
import type { QuicConnUser } from "../quic/conn.ts";
import type { DialledConn, DialledConnListener } from "../quic/dialled-conn.ts";
import type { QuicheConn } from "../quic/quiche-conn.ts";
import { errorCode } from "./errors.ts";
import type { Http3NodeExchan } from "./node-exchan.ts";
import { NodeStreams, type NodeStreamsOwner } from "./node-streams.ts";

/** What a connection needs of the pool that it belongs to. */
export interface Http3NodeConnOwner extends NodeConnTimeoutsOwner {
  readonly settings: Http3NodeSettings;
  dial(listener: DialledConnListener): DialledConn;
  /** It has room for a stream that it had not before, or has become idle, or leaves. */
  changed(conn: Http3NodeConn): void;
  /** It is gone. `code` and `reason` say why where it never stood. */
  closed(conn: Http3NodeConn, code: FailureCode, reason: string): void;
}

export class Http3NodeConn
  implements PooledConn<Http3NodeExchan>, WaitedForConn, NodeStreamsOwner, DialledConnListener
{
  requests = 0;
  hasStood = false;
  /** It closes as soon as no stream is left, and is gone then: nothing is waited for. */
  readonly isClosing = false;
  readonly #owner: Http3NodeConnOwner;
  readonly #dialled: DialledConn;
  readonly #timeouts: NodeConnTimeouts;
  #streams: NodeStreams | undefined;
  #phase: "dialing" | "open" | "leaving" | "closed" = "dialing";
  /** Why it is about to be gone. */
  #failure: { readonly code: FailureCode; readonly reason: string } | undefined;

  constructor(owner: Http3NodeConnOwner) {
    this.#owner = owner;
    this.#dialled = owner.dial(this);
    this.#timeouts = new NodeConnTimeouts(this, owner);
  }

  // ---- what the pool asks ----

  get isDialing(): boolean {
    return this.#phase === "dialing";
  }

  get isConnecting(): boolean {
    return this.#streams === undefined;
  }

  get isLeaving(): boolean {
    return this.#phase === "leaving" || this.#phase === "closed";
  }

  get isIdle(): boolean {
    return this.#phase === "open" && this.streamCount === 0;
  }

  get streamCount(): number {
    return this.#streams?.count ?? 0;
  }

  get room(): number {
    return this.#phase === "open" ? (this.#streams?.room ?? 0) : 0;
  }

  begin(exchan: Http3NodeExchan): void {
    this.requests++;
    this.#streams?.begin(exchan);
    if (this.streamCount === 1) this.#timeouts.settle();
  }

  leave(): void {
    if (this.#phase !== "open") return;
    this.#phase = "leaving";
    this.#owner.changed(this);
    this.#closeIfOver();
  }

  destroy(): void {
    this.#dialled.close(errorCode.noError, "the connection was closed");
  }

  // ---- what its limits in time ask for ----

  sendPing(): void {
    this.#streams?.ping();
  }

  timedOut(reason: string): void {
    this.#break("HEMI_TIMEOUT", reason);
  }

  // ---- what its transport tells ----

  datagramArrived(): void {
    this.#timeouts.hasRead();
  }

  established(quic: QuicheConn): QuicConnUser {
    this.#streams = new NodeStreams(quic, this);
    return this.#streams;
  }

  failed(error: unknown): void {
    this.#break("HEMI_BACKEND_BROKEN", `what it sent could not be handled: ${String(error)}`);
  }

  gone(told: string | undefined): void {
    const { code, reason } = this.#failure ?? {
      code: "HEMI_BACKEND_DIAL",
      reason: told ?? "it closed the connection",
    };
    this.#phase = "closed";
    this.#timeouts.end();
    const why = !this.hasStood && code === "HEMI_BACKEND_DIAL" ? `it cannot be connected to: ${reason}` : reason;
    const end = this.#streams?.end();
    this.#owner.closed(this, code, why);
    for (const exchan of end ?? []) exchan.broken(code === "HEMI_TIMEOUT", this.#failure?.reason ?? told);
  }

  // ---- what its streams tell ----

  get settings(): Http3NodeSettings {
    return this.#owner.settings;
  }

  makeDeadline(onExpired: () => void): Deadline {
    return this.#owner.makeDeadline(onExpired);
  }

  monotonic(): number {
    return this.#owner.monotonic();
  }

  opened(): void {
    if (this.#phase !== "dialing") return;
    this.#phase = "open";
    this.hasStood = true;
    this.#timeouts.settle();
    this.#owner.changed(this);
  }

  changed(): void {
    if (this.#phase === "dialing") return;
    if (this.isIdle) this.#timeouts.settle();
    this.#owner.changed(this);
    this.#closeIfOver();
  }

  nodeLeaves(): void {
    if (this.requests === 0) return this.#break("HEMI_BACKEND_DIAL", "it closes the connection at once");
    this.leave();
    this.#closeIfOver();
  }

  broke(reason: string): void {
    this.#failure ??= { code: "HEMI_BACKEND_BROKEN", reason };
  }

  #closeIfOver(): void {
    if (this.#phase === "leaving" && this.streamCount === 0) this.#streams?.close();
  }

  #break(code: FailureCode, reason: string): void {
    this.#failure ??= { code, reason };
    this.#dialled.close(errorCode.noError, reason);
  }
}
