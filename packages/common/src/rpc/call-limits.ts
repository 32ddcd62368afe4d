// Until when an answer is wanted: the deadline, the caller's signal, and the call that this one is made for.

import type { Metadata } from "./metadata.ts";
import { RpcError } from "./rpc-error.ts";

/** A call that is being served, as far as calls that it makes need to know: `Call` of the server is one. */
export interface ParentCall {
  readonly signal: AbortSignal;
  /** In ms; Infinity: as long as it takes. */
  readonly timeLeft: number;
  /** Adds what goes on to such calls, such as a trace context, to their metadata. Default: nothing does. */
  handOn?(metadata: Metadata | undefined): Metadata | undefined;
}

/** Makes the timer of a call: `Deadlines` is one that costs less than a timer for each. */
export interface CallTimers {
  /** A timer that is not set; `expire` is called when it is over. */
  add(expire: () => void): CallTimer;
}

/** The time limit of one call. */
export interface CallTimer {
  /** Once, in ms from now. */
  set(ms: number): void;
  /** The call is over: nothing is waited for. */
  clear(): void;
}

/** What is given up when its answer is not wanted any more. */
export interface Cancelable {
  /** Harmless once it is over. */
  cancel(reason: RpcError): void;
}

/** What limits a call. An AbortSignal is made only for those who want one: it costs more than the rest. */
export class CallLimits {
  /** In ms; Infinity: nothing. */
  readonly timeout: number;
  readonly #deadline: CallTimer | undefined;
  readonly #signals: readonly AbortSignal[] = noSignals;
  readonly #canceled: (() => void) | undefined;
  #reason: RpcError | undefined;
  #abort: AbortController | undefined;
  #cancelable: Cancelable | undefined;

  /** `timeout` in ms; Infinity: none. `timers`: makes a timer, which may be shared by many calls. */
  constructor(
    timeout: number,
    given: AbortSignal | undefined,
    parent: ParentCall | undefined,
    timers: CallTimers = ownTimers,
  ) {
    this.timeout = parent === undefined ? timeout : Math.min(timeout, parent.timeLeft);
    if (this.timeout !== Infinity) {
      this.#deadline = timers.add(() =>
        this.#over(new RpcError("deadline_exceeded", "there was no answer before the deadline")),
      );
      this.#deadline.set(this.timeout);
    }
    if (given === undefined && parent === undefined) return;
    this.#signals = [given, parent?.signal].filter((signal) => signal !== undefined);
    this.#canceled = () => this.#over(new RpcError("canceled", "the call was given up by its caller"));
    for (const signal of this.#signals) {
      if (signal.aborted) this.#canceled();
      else signal.addEventListener("abort", this.#canceled);
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

  /** Gives this up when the answer is not wanted any more, if that is not so yet. The last one counts. */
  cancels(cancelable: Cancelable): void {
    this.#cancelable = cancelable;
  }

  /** The call is over: nothing is waited for any more. */
  end(): void {
    this.#cancelable = undefined;
    this.#deadline?.clear();
    if (this.#canceled === undefined) return;
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#canceled);
  }

  #over(reason: RpcError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#cancelable?.cancel(reason);
    this.#abort?.abort(reason);
  }
}

const noSignals: readonly AbortSignal[] = [];

/** One timer for each call. */
const ownTimers: CallTimers = {
  add(expire) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    return {
      // Timers of JavaScript cannot wait for longer.
      set: (ms) => void (timer = ms < 2 ** 31 ? setTimeout(expire, ms) : undefined),
      clear: () => clearTimeout(timer),
    };
  },
};

/** Why a signal was aborted. */
export function reasonOf({ reason }: AbortSignal): RpcError {
  return asRpcError(reason);
}

/** An error as its caller gets it. */
export function asRpcError(error: unknown): RpcError {
  return error instanceof RpcError ? error : new RpcError("canceled", "the call was given up", { cause: error });
}
