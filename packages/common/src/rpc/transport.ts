// How calls leave a client: what every way to a server has in common.

import type { CallLimits } from "./call-limits.ts";
import type { Metadata } from "./metadata.ts";
import type { Procedure } from "./procedure.ts";

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

/** A call that is answered by one message. */
export interface SingleCall extends OutgoingCall {
  /** What `signal` stands for, without the cost of a signal. */
  readonly limits: CallLimits;
}

/** A way to a server. */
export interface Transport {
  /**
   * Makes a call and gives its messages, also for a procedure that answers with one. Throws RpcError; the reason of the
   * signal once that is aborted.
   */
  call(call: OutgoingCall): AsyncIterable<unknown>;
  /**
   * The same for a call that is answered by one message, for less. Rejects with RpcError: `unimplemented` if there is
   * not exactly one. Default: by `call`.
   */
  callOnce?(call: SingleCall): Promise<unknown>;
}
