// One request to a node, and its answer: what is the same whatever the protocol.
//
//   queued ──> dialing ──> head ──> content ──> over
//      │          │         └─────────────────> over: the stream is a tunnel, which the node counts until it is closed
//      └──────────┴─────────┴─────────┴───────> over: failed, or cancelled
//
// A protocol says how the request is written, and tells what comes of it.

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { turnsSince, turnTick } from "../metrics/turn.ts";
import type { Fields } from "./fields.ts";
import type { NodeOwner, WorkOutcome } from "../backend/backend.ts";
import { BackendFailure, type FailureCode } from "../backend/failure.ts";
import type { Waiter } from "../backend/node-group.ts";
import type { SelectionHint } from "../backend/selection-hint.ts";
import type { Node, NodePool } from "../backend/node.ts";
import type { ResponseHandler, BackendRequest, WebExchange } from "./web-backend.ts";

/** The request as a node gets it: it must say a host (RFC 9112 3.2, RFC 9113 8.3.1). */
export function forNode(request: BackendRequest, { host }: Pick<Node, "host">): BackendRequest {
  return request.authority === "" ? { ...request, authority: host } : request;
}

/** Whether a request says how much content it has, also that there is none where one expects some (RFC 9110 8.6). */
export function contentLengthIsDue(method: string, contentSize: number | undefined): boolean {
  if (contentSize === undefined) return false;
  return contentSize > 0 || method === "POST" || method === "PUT" || method === "PATCH";
}

/** Its constructor sets plain properties, for the reason that `FieldLines` gives. */
export abstract class NodeExchan<Pool extends NodePool> implements WebExchange, Waiter<Pool> {
  declare readonly wish: SelectionHint;
  /** All of the request has been handed to the connection. */
  declare isRequestSent: boolean;
  /** The taker wants no more content for now. */
  declare isHeld: boolean;
  declare protected readonly taker: ResponseHandler;
  declare protected state: "queued" | "dialing" | "head" | "content" | "over";
  /** Of the request's content, in bytes; `undefined` where that is not known. */
  declare private readonly contentSize: number | undefined;
  declare private readonly owner: NodeOwner<Pool>;
  declare private chosenNode: Node<Pool> | undefined;
  /** When it was chosen: see `turnTick`. */
  declare private enteredTick: number;
  /** Content that came before there was a connection to send it by. */
  declare private earlyContent: Uint8Array | undefined;
  declare private connecting: PromiseWithResolvers<void> | undefined;
  /** Of the request's content, in bytes. */
  declare private sentSize: number;

  constructor(contentSize: number | undefined, wish: SelectionHint, taker: ResponseHandler, owner: NodeOwner<Pool>) {
    this.wish = wish;
    this.isRequestSent = false;
    this.isHeld = false;
    this.taker = taker;
    this.state = "queued";
    this.contentSize = contentSize;
    this.owner = owner;
    this.chosenNode = undefined;
    this.enteredTick = 0;
    this.earlyContent = undefined;
    this.connecting = undefined;
    this.sentSize = 0;
  }

  /** Takes a connection to the node, or waits for one: `opened` follows, or a failure. */
  protected abstract dial(node: Node<Pool>): void;
  /** A piece of the request's content, once it was `opened`. False: the node is slow. `done`: see `WebExchange`. */
  protected abstract writeContent(piece: Uint8Array, done?: () => void): boolean;
  /** Nothing more of the request follows. */
  protected abstract writeEnd(trailers: Fields): void;
  /** Settles when more content may be written. */
  protected abstract drained(): Promise<void>;
  /** The exchan is over, and has no connection from here on. `isReusable`: what it had may serve others. */
  protected abstract release(isReusable: boolean): void;
  /** The taker wants more content, after it was held. */
  protected abstract resumed(): void;

  get node(): string | undefined {
    return this.chosenNode?.id;
  }

  get tag(): string | undefined {
    return this.chosenNode?.tag;
  }

  // ---- what its owner tells ----

  entered(node: Node<Pool>): void {
    this.chosenNode = node;
    this.enteredTick = turnTick();
    this.state = "dialing";
    this.dial(node);
  }

  refused(failure: BackendFailure): void {
    this.state = "over";
    this.connecting?.resolve();
    this.taker.failed(failure);
  }

  // ---- what its taker asks for ----

  sendContent(piece: Uint8Array, done?: () => void): boolean {
    if (this.state === "over" || this.isRequestSent) return true;
    this.sentSize += piece.length;
    if (this.sentSize > (this.contentSize ?? Infinity)) {
      this.fail("HEMI_BACKEND_BROKEN", "the request has more content than it announced");
      return true;
    }
    if (!this.#isOpened()) {
      this.earlyContent = this.earlyContent === undefined ? piece : Buffer.concat([this.earlyContent, piece]);
      return false;
    }
    return this.writeContent(piece, done);
  }

  writable(): Promise<void> {
    if (this.state === "queued" || this.state === "dialing") {
      this.connecting ??= Promise.withResolvers<void>();
      return this.connecting.promise;
    }
    // Why there is no use in sending more, the taker is told.
    return this.state === "over" ? Promise.resolve() : this.drained();
  }

  endContent(trailers: Fields): void {
    if (this.state === "over" || this.isRequestSent) return;
    if (this.contentSize !== undefined && this.sentSize < this.contentSize) {
      return this.fail("HEMI_BACKEND_BROKEN", "the request has less content than it announced");
    }
    if (this.#isOpened()) {
      this.isRequestSent = true;
      this.writeEnd(trailers);
    } else void this.writable().then(() => this.endContent(trailers));
  }

  resume(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.resumed();
  }

  cancel(): void {
    if (this.state === "over") return;
    if (this.state === "queued") this.owner.forget(this);
    this.leave(false, "unknown");
  }

  // ---- what the protocol tells ----

  /** The head of the request has been written: its content may follow, and what has come of it does at once. */
  protected opened(): void {
    this.state = "head";
    const early = this.earlyContent;
    this.earlyContent = undefined;
    if (early !== undefined) this.writeContent(early);
    this.connecting?.resolve();
  }

  /** The connection is gone. `isStale`: it was a kept one, and nothing had come by it for this request. */
  protected lostConn(reason: string | undefined, isStale: boolean): void {
    if (this.state === "dialing") {
      return this.fail("HEMI_BACKEND_DIAL", `it cannot be connected to: ${reason ?? "it closed the connection"}`);
    }
    const what = this.state === "head" ? "before its answer came" : "before its answer was complete";
    const why = `the connection broke ${what}: ${reason ?? "it was closed"}`;
    this.fail("HEMI_BACKEND_BROKEN", why, { isStale });
  }

  /** The answer is complete. */
  protected finish(status: number, failStatuses: readonly number[], isReusable: boolean): void {
    this.leave(isReusable, failStatuses.includes(status) ? { failure: `it answered ${status}` } : "good");
  }

  /** The node has left the protocol: the stream is all that is left, and the node counts it until it is closed. */
  protected becameTunnel(stream: Duplex): void {
    const node = this.chosenNode;
    this.state = "over";
    if (node === undefined) return;
    this.owner.judge(node, "good");
    stream.once("close", () => this.owner.depart(node));
  }

  protected leave(isReusable: boolean, outcome: WorkOutcome): void {
    const node = this.chosenNode;
    this.state = "over";
    this.earlyContent = undefined;
    this.connecting?.resolve();
    this.release(isReusable);
    if (node !== undefined) this.owner.leave(node, outcome, turnsSince(this.enteredTick));
  }

  /**
   * `isUnseen`: the node has said, or it is plain, that it has not looked at the request. That, being stale, and having
   * its fill say nothing against it.
   */
  protected fail(code: FailureCode, reason: string, { isStale = false, isUnseen = false } = {}): void {
    if (this.state === "over") return;
    const wasSent = !isUnseen && (this.state === "head" || this.state === "content");
    const failure = new BackendFailure(code, this.node ?? "", reason, { wasSent, isStale: isStale || isUnseen });
    const saysNothing = isUnseen || code === "HEMI_BACKEND_BUSY";
    this.leave(false, isStale ? "stale" : saysNothing ? "unknown" : { failure: reason });
    this.taker.failed(failure);
  }

  #isOpened(): boolean {
    return this.state === "head" || this.state === "content";
  }
}
