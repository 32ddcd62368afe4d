// How calls leave a client: what every way to a server has in common.

import type { CallTimers } from "./call-limits.ts";
import type { OutgoingCall } from "./outgoing-call.ts";
import type { SingleCall } from "./single-call.ts";

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
