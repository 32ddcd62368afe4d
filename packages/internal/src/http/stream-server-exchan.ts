// One request of a client and its response, on a stream of a connection that others share: what is the same in HTTP/2
// and HTTP/3, whatever takes the bytes. The connection goes on, whatever becomes of the stream.

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { quietly } from "@hemi/common";
import type { HemiError } from "../errors/hemi-error.ts";
import type { ContentRate } from "./content-rate.ts";
import { responseHasContent } from "./content-rule.ts";
import type { RequestHead, ResponseHead, TunnelHead } from "./exchan.ts";
import { ExchanError } from "./exchan-error.ts";
import { ServerExchan, type ExchanCarrier } from "./server-exchan.ts";
import { StreamTunnel } from "./stream-tunnel.ts";

/** What a stream waits for; each has its time in the settings. */
export type StreamWait = "handle" | "content" | "write";

/** What an exchan on a stream needs of the connection. */
export interface StreamCarrier extends ExchanCarrier {
  /** No further request begins on it: whoever opens a tunnel is told at once. */
  readonly isDraining: boolean;
  /** Another piece was sent, or another thing is waited for: its whole time begins anew. */
  waitFor(exchan: StreamServerExchan, wait: StreamWait): void;
  /** Limits in time are not the connection's any more. */
  waitNoMore(exchan: StreamServerExchan): void;
  /** A handlet is done with a request that its client had given up. */
  abandonedOver(exchan: StreamServerExchan): void;
}

/** An exchan on a stream. Its constructor sets plain properties, for the reason that `ServerExchan` gives. */
export abstract class StreamServerExchan extends ServerExchan {
  abstract override readonly head: RequestHead & { readonly isTunnel: boolean };
  /** These three are changed by the time limits of the connection only. */
  declare wait: StreamWait;
  /** In ms, on the monotonic clock; `Infinity` while it waits for nothing. */
  declare waitsUntil: number;
  /** In bytes: what the client had taken when it began to wait. */
  declare progressBefore: number;
  declare protected readonly carrier: StreamCarrier;
  /** Who waits to send more. */
  declare private sending: PromiseWithResolvers<void> | undefined;
  /** It is destroyed with the stream. */
  declare private openTunnel: StreamTunnel | undefined;
  /** Who has the tunnel wants to be told when the server drains. */
  declare private tunnelDrained: (() => void) | undefined;

  constructor(carrier: StreamCarrier) {
    super(carrier);
    this.wait = "handle";
    this.waitsUntil = Infinity;
    this.progressBefore = 0;
    this.sending = undefined;
    this.openTunnel = undefined;
    this.tunnelDrained = undefined;
  }

  // ---- what a version knows ----

  /** How fast its content comes; `undefined` for a request without. */
  abstract readonly contentRate: ContentRate | undefined;
  /** What was sent last waits: no more may be sent for now. */
  abstract get isBlocked(): boolean;
  /** Sends the head, and what `prepareHead` says of it. */
  protected abstract writeHead(head: ResponseHead, size: number | undefined): void;
  /** Sends the head of an answer that opens a tunnel. */
  protected abstract writeTunnelHead(fieldList: readonly string[]): void;
  /** Sends a piece of content. Returns whether its bytes are not needed any more. */
  protected abstract writeContent(piece: Uint8Array): boolean;
  /** The content is complete. */
  protected abstract writeEnd(trailerList: readonly string[]): void;
  /** Nothing more comes by the tunnel from here. */
  protected abstract endTunnel(): void;
  /** Nobody is served by the stream any more: tells the client so. `why`: the handlet failed, or cancels a tunnel. */
  protected abstract reset(why: "aborted" | "cancelled"): void;

  /** There are limits to the time that it takes. */
  get isTimed(): boolean {
    return this.state !== "tunnelling";
  }

  override contentFailed(error: HemiError): void {
    if (this.isReading) this.waitFor("handle");
    super.contentFailed(error);
  }

  // ---- response out ----

  sendHead(head: ResponseHead, size: number | undefined): void {
    if (this.state !== "waiting") return this.carrier.abandonedOver(this);
    this.state = "streaming";
    this.writeHead(head, size);
    this.waitFor("handle");
  }

  /** Takes over what the head says. Returns the one to send, whose content has the size `announced`. */
  protected prepareHead(head: ResponseHead, size: number | undefined): ResponseHead {
    // A 2xx would read as an open tunnel (RFC 8441 5, RFC 9220 3).
    const answer = this.head.isTunnel && head.status < 300 ? noTunnel : head;
    const { status } = answer;
    this.status = status;
    // A 205 has no content either, but says so (RFC 9110 15.3.6).
    this.announced = answer === noTunnel || status === 205 ? 0 : size;
    this.hasContent = answer === head && responseHasContent(this.head.method, status);
    return answer;
  }

  sendContent(piece: string | Uint8Array, done?: () => void): boolean {
    if (this.state !== "streaming" && this.state !== "tunnelling") return false;
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    if (bytes.length === 0) return true;
    this.give(bytes.length);
    if (!this.hasContent) return !this.isEnoughDropped;
    if (this.writeContent(bytes)) done?.();
    this.waitFor("handle");
    return !this.isBlocked;
  }

  writable(): Promise<void> {
    // Nobody takes the content of an answer to HEAD: a source without end must stop some time.
    if (this.isOver || this.isEnoughDropped) return quietly(Promise.reject(requestGivenUp()));
    if (!this.isBlocked) return Promise.resolve();
    this.waitFor("write");
    if (this.sending === undefined) {
      this.sending = Promise.withResolvers<void>();
      void quietly(this.sending.promise);
    }
    return this.sending.promise;
  }

  /** More may be sent, or nothing any more: who waits to send would wait for good. */
  protected resumeSending(): void {
    const { sending } = this;
    if (sending === undefined) return;
    this.sending = undefined;
    if (!this.isOver) this.waitFor("handle");
    sending.resolve();
  }

  endContent(trailerList: readonly string[]): void {
    if (this.state !== "streaming") return;
    this.assertAllGiven();
    this.state = "leaving";
    this.leaveContent();
    this.writeEnd(trailerList);
  }

  tunnel({ protocol, fieldList }: TunnelHead, drained: () => void): Duplex {
    this.assertTunnel(protocol);
    this.state = "tunnelling";
    this.status = 200;
    this.carrier.waitNoMore(this);
    this.tunnelDrained = drained;
    this.writeTunnelHead(fieldList);
    if (this.carrier.isDraining) queueMicrotask(drained);
    return (this.openTunnel = new StreamTunnel({
      readContent: () => this.readTunnel(),
      sendContent: (piece) => this.sendContent(piece),
      writable: () => this.writable(),
      endContent: () => this.endTunnel(),
      cancel: () => {
        if (!this.isOver) this.reset("cancelled");
      },
    }));
  }

  /** The next piece for the tunnel. */
  protected readTunnel(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    return this.readContent();
  }

  /** Who has the tunnel, if it is one, is told. */
  serverDrains(): void {
    this.tunnelDrained?.();
    this.tunnelDrained = undefined;
  }

  distrust(): void {
    // Each request has a stream of its own: none can be hidden in another.
  }

  /** The client has taken a part of what was sent: the time for the rest begins anew. */
  protected hasProgressed(): void {
    if (this.wait === "write" && this.waitsUntil !== Infinity) this.waitFor("write");
  }

  // ---- ends ----

  abort(): void {
    if (this.state === "aborted") return this.carrier.abandonedOver(this);
    if (this.state === "leaving" || this.state === "ended") return;
    this.endsByAbort();
    this.reset("aborted");
  }

  /**
   * The stream is reset, by whomever, or its connection has broken off. `why`: what a reader of its content is told.
   */
  broken(why: HemiError = requestGivenUp()): void {
    if (this.isOver) return;
    const { sending } = this;
    this.sending = undefined;
    sending?.reject(requestGivenUp());
    this.lose(why);
    this.openTunnel?.destroy(why);
  }

  protected gone(): ExchanError {
    return requestGivenUp();
  }

  protected waitAnew(): void {
    if (this.wait === "handle" && this.waitsUntil !== Infinity) this.waitFor("handle");
  }

  /** Limits in time of a tunnel are not ours. */
  protected waitFor(wait: StreamWait): void {
    if (this.state !== "tunnelling") this.carrier.waitFor(this, wait);
  }
}

const noTunnel: ResponseHead = { status: 501, fieldList: [] };

/** Why nothing more comes of a request whose client has reset its stream. */
export function requestGivenUp(): ExchanError {
  return new ExchanError("HEMI_PEER_GONE", "the client has given the request up");
}
