// A door: how a call comes in and goes out, by one of the protocols.
//
//   request ─> door ── receive ──> CallRun ──> interceptors ──> procedure
//   answer  <─ door <─ send, finish ── CallRun <── messages, error ──┘

import type { RpcError } from "@hemi/common/rpc";
import type { Call } from "./call.ts";

/** One for each call. Messages are values here: the door encodes and decodes them. */
export interface CallDoor {
  /**
   * The next message of the client, decoded and checked; `undefined` at their end. Throws or rejects with RpcError, or
   * with the errors of `readContent` of a wire. One call at a time.
   */
  receive(): unknown;
  /**
   * Sends a message. Returns a promise if the caller must wait before it sends the next one. Throws or rejects with an
   * Error for a message that is invalid.
   */
  send(message: unknown, call: Call): void | Promise<void>;
  /** The call is over: `error` tells why it failed. Nothing is called after this. Must not throw. */
  finish(error: RpcError | undefined, call: Call): void;
  /** Nobody is there any more who could be told. Nothing is called after this. */
  abandon(): void;
}
