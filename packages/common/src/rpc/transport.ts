// How calls leave a client: what every way to a server has in common.

import type { CallTimers } from "./call-limits.ts";
import type { Metadata } from "./metadata.ts";
import type { Procedure } from "./procedure.ts";
import type { SingleCall } from "./single-call.ts";

/** One call, ready to be sent. */
export interface OutgoingCall {
  /** `/shop.v1.Stock/find`. */
  readonly path: string;
  readonly procedure: Procedure;
  /** What the caller gives, made messages; one for a procedure that takes one. */
  readonly inputs: AsyncIterable<unknown> | Iterable<unknown>;
  readonly metadata: Metadata;
  /** In ms, what is left until the deadline; Infinity: there is none. */
  readonly timeout: number;
  /** Aborts at the deadline, and when the caller gives the call up. Its reason is an RpcError. */
  readonly signal: AbortSignal;
  /** To be called with the metadata before the messages, and after them. */
  readonly headersCame: (headers: Metadata) => void;
  readonly trailersCame: (trailers: Metadata) => void;
}

/** A way to a server. */
export interface Transport {
  /**
   * Makes a call and gives its messages, also for a procedure that answers with one. Throws RpcError; the reason of the
   * signal once that is aborted.
   */
  call(call: OutgoingCall): AsyncIterable<unknown>;
  /**
   * The same for a call that is answered by one message, for less: tells the call itself how it went. Throws RpcError,
   * as if it had told so. Default: by `call`.
   */
  callOnce?(call: SingleCall): void;
  /** What waits for the deadlines of its calls. Default: a timer for each call. */
  readonly timers?: CallTimers;
}
