// Until when an answer is wanted: the deadline, the caller's signal, and the call that this one is made for.

import { RpcError } from "./rpc-error.ts";

/** A call that is being served, as far as calls that it makes need to know: `Call` of the server is one. */
export interface ParentCall {
  readonly signal: AbortSignal;
  /** In ms; Infinity: as long as it takes. */
  readonly timeLeft: number;
}

/** What limits a call. */
export interface CallLimits {
  /** In ms; Infinity: nothing. */
  readonly timeout: number;
  /** Its reason is an RpcError. */
  readonly signal: AbortSignal;
  /** The call is over: nothing is waited for any more. */
  readonly end: () => void;
}

/** `timeout` in ms; Infinity: none. */
export function limitCall(timeout: number, given: AbortSignal | undefined, parent: ParentCall | undefined): CallLimits {
  const abort = new AbortController();
  const time = Math.min(timeout, parent?.timeLeft ?? Infinity);
  const expire = (): void => abort.abort(new RpcError("deadline_exceeded", "there was no answer before the deadline"));
  const cancel = (): void => abort.abort(new RpcError("canceled", "the call was given up by its caller"));
  const signals = [given, parent?.signal].filter((signal) => signal !== undefined);
  // Timers of JavaScript cannot wait for longer.
  const timer = time < 2 ** 31 ? setTimeout(expire, time) : undefined;
  for (const signal of signals) {
    if (signal.aborted) cancel();
    else signal.addEventListener("abort", cancel);
  }
  return {
    timeout: time,
    signal: abort.signal,
    end() {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener("abort", cancel);
    },
  };
}

/** Why a signal was aborted. */
export function reasonOf({ reason }: AbortSignal): RpcError {
  return asRpcError(reason);
}

/** An error as its caller gets it. */
export function asRpcError(error: unknown): RpcError {
  return error instanceof RpcError ? error : new RpcError("canceled", "the call was given up", { cause: error });
}
