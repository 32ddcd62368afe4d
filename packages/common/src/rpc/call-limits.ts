// Until when an answer is wanted: the deadline, the caller's signal, and the call that this one is made for.

import { RpcError } from "./rpc-error.ts";

/** A call that is being served, as far as calls that it makes need to know: `Call` of the server is one. */
export interface ParentCall {
  readonly signal: AbortSignal;
  /** In ms; Infinity: as long as it takes. */
  readonly timeLeft: number;
}

/** What limits a call. An AbortSignal is made only for those who want one: it costs more than the rest. */
export class CallLimits {
  /** In ms; Infinity: nothing. */
  readonly timeout: number;
  readonly #signals: readonly AbortSignal[];
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  #reason: RpcError | undefined;
  #abort: AbortController | undefined;
  #listener: ((reason: RpcError) => void) | undefined;

  /** `timeout` in ms; Infinity: none. */
  constructor(timeout: number, given: AbortSignal | undefined, parent: ParentCall | undefined) {
    this.timeout = Math.min(timeout, parent?.timeLeft ?? Infinity);
    // Timers of JavaScript cannot wait for longer.
    this.#timer = this.timeout < 2 ** 31 ? setTimeout(this.#expire, this.timeout) : undefined;
    this.#signals = given === undefined && parent === undefined ? noSignals : [given, parent?.signal].filter(isThere);
    for (const signal of this.#signals) {
      if (signal.aborted) this.#cancel();
      else signal.addEventListener("abort", this.#cancel);
    }
  }

  /** Why the answer is not wanted any more; `undefined` while it is. */
  get reason(): RpcError | undefined {
    return this.#reason;
  }

  /** Aborts when the answer is not wanted any more. Its reason is an RpcError. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#reason !== undefined) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  /** Calls back when the answer is not wanted any more, if that is not so yet. The last listener counts. */
  whenOver(listener: (reason: RpcError) => void): void {
    this.#listener = listener;
  }

  /** The call is over: nothing is waited for any more. */
  end(): void {
    this.#listener = undefined;
    clearTimeout(this.#timer);
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#cancel);
  }

  readonly #expire = (): void =>
    this.#over(new RpcError("deadline_exceeded", "there was no answer before the deadline"));
  readonly #cancel = (): void => this.#over(new RpcError("canceled", "the call was given up by its caller"));

  #over(reason: RpcError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#listener?.(reason);
    this.#abort?.abort(reason);
  }
}

const noSignals: readonly AbortSignal[] = [];

function isThere(signal: AbortSignal | undefined): signal is AbortSignal {
  return signal !== undefined;
}

/** Why a signal was aborted. */
export function reasonOf({ reason }: AbortSignal): RpcError {
  return asRpcError(reason);
}

/** An error as its caller gets it. */
export function asRpcError(error: unknown): RpcError {
  return error instanceof RpcError ? error : new RpcError("canceled", "the call was given up", { cause: error });
}
