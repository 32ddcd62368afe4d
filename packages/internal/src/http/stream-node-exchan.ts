// One request to a node, and its answer, on a stream of a connection that others share: what is the same in HTTP/2 and
// HTTP/3, whatever brings the bytes.

import { contentMayFollow } from "./content-rule.ts";
import type { Fields } from "./fields.ts";
import { NodeExchan, forNode } from "./node-exchan.ts";
import type { BackendRequest, NodeResponseHead, NodeTimeouts, ResponseHandler, TunnelRequest } from "./web-backend.ts";
import type { NodeOwner } from "../backend/backend.ts";
import type { FailureCode } from "../backend/failure.ts";
import type { Node, NodePool } from "../backend/node.ts";
import type { SelectionHint } from "../backend/selection-hint.ts";

/** What a stream waits for from its node: to take content, or to answer. */
export type NodeWait = "write" | "read";

/** Where connections come from: a pool of a node's. */
export interface StreamSource extends NodePool {
  /** Looked at whenever they are used: live. */
  readonly settings: {
    /** In ms. */
    readonly readTimeout: number;
    /** In ms. */
    readonly writeTimeout: number;
    readonly maxInterims: number;
    /** Default: none. */
    readonly failStatuses?: readonly number[];
  };
}

/** One request and its response in a stream of a connection to a node: what HTTP/2 and HTTP/3 have in common. */
export abstract class StreamNodeExchan<Source extends StreamSource> extends NodeExchan<Source> {
  /** What its connection waits for, and until when. */
  wait: NodeWait = "read";
  /** When that wait ends, in ms on the monotonic clock. */
  waitsUntil = Infinity;
  /** How much had moved when it was last looked at, in bytes. */
  progressBefore = 0;
  /** What is asked for. */
  protected request: BackendRequest;
  /** For a tunnel: the protocol, and who takes the stream. */
  protected readonly tunnelRequest: TunnelRequest | undefined;
  /** Where its connection comes from. */
  protected source: Source | undefined;
  /** Of the answer, once it has come; no 1xx one. */
  protected head: NodeResponseHead | undefined;
  /** The taker has been given the head. */
  protected isHeadGiven = false;
  #interims = 0;

  /** `tunnel`: its taker is this one, and it hears it if the node leaves HTTP. */
  constructor(
    request: BackendRequest,
    wish: SelectionHint,
    taker: ResponseHandler,
    owner: NodeOwner<Source>,
    tunnel?: TunnelRequest,
  ) {
    super(request.contentSize, wish, taker, owner);
    this.request = request;
    this.tunnelRequest = tunnel;
    this.isRequestSent = request.contentSize === 0;
  }

  /** Waits for a connection: it is told when there is one. */
  protected abstract takeConn(source: Source): void;

  /** Those of its connection. */
  get timeouts(): NodeTimeouts | undefined {
    return this.request.timeouts;
  }

  protected dial(node: Node<Source>): void {
    this.request = forNode(this.request, node);
    this.source = node.pool;
    this.takeConn(node.pool);
  }

  // ---- what the pool and the connection tell ----

  /** There is no connection. */
  unavailable(code: FailureCode, reason: string): void {
    this.fail(code, reason);
  }

  /** What is waited for has not come in time. */
  timedOut(): void {
    const readTimeout = this.timeouts?.readTimeout ?? this.source?.settings.readTimeout;
    const writeTimeout = this.timeouts?.writeTimeout ?? this.source?.settings.writeTimeout;
    const reason =
      this.wait === "write"
        ? `it took nothing of the request for ${writeTimeout} ms`
        : `nothing of its answer came for ${readTimeout} ms`;
    this.fail("HEMI_TIMEOUT", reason);
  }

  // ---- the answer ----

  /** An interim response has come. */
  protected takeInterim({ status, fields }: NodeResponseHead, isEnd: boolean): void {
    const { maxInterims = 0 } = this.source?.settings ?? {};
    if (isEnd) this.fail("HEMI_BACKEND_BROKEN", "it ended with a 1xx answer");
    else if (++this.#interims > maxInterims) {
      this.fail("HEMI_BACKEND_BROKEN", `more than ${maxInterims} 1xx answers came, which is maxInterims`);
    }
    // A 100 is between us and the node; who waits for one at the other end gets it from us.
    else if (status !== 100) this.taker.interim(status, fields);
  }

  /** Whether so much content, in bytes, is not what the head has announced. */
  protected isLengthWrong(received: number, isEnd: boolean): boolean {
    const { head } = this;
    if (head === undefined) return false;
    const announced = contentMayFollow(this.request.method, head.status) ? (head.contentSize ?? Infinity) : 0;
    return received > announced || (isEnd && announced !== Infinity && received < announced);
  }

  /** The head of the response has come. */
  protected giveHead(): void {
    const { head } = this;
    if (head === undefined || this.isHeadGiven) return;
    this.isHeadGiven = true;
    this.state = "content";
    this.taker.answered(head, undefined);
  }

  /** All of the answer was given to the taker, but for its trailers. */
  protected giveEnd(trailers: Fields): void {
    const { head, source } = this;
    if (head === undefined || source === undefined) return;
    this.finish(head.status, source.settings.failStatuses ?? none, true);
    this.taker.ended(trailers);
  }

  /** All of the answer has come, and none of it was given to the taker. */
  protected giveWhole(whole: Uint8Array): void {
    const { head, source } = this;
    if (head === undefined || source === undefined) return;
    this.finish(head.status, source.settings.failStatuses ?? none, true);
    this.taker.answered(head, whole);
  }
}

const none: readonly number[] = [];
