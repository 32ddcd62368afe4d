// A call as it leaves a client.

import type { ParentCall } from "./call-limits.ts";
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
  /** The call that this one is made for. */
  readonly parent?: ParentCall | undefined;
  /** In ms, what is left until the deadline; Infinity: there is none. */
  readonly timeout: number;
  /** Aborts at the deadline, and when the caller gives the call up. Its reason is an RpcError. */
  readonly signal: AbortSignal;
  /** To be called with the metadata before the messages, and after them. */
  readonly headersCame: (headers: Metadata) => void;
  readonly trailersCame: (trailers: Metadata) => void;
}
