// Runs one call: takes messages from its door, gives them to the procedure, and sends what that returns.
//
//   begin ──> input ──> invoke ──> output ──> over
//     │         │          │          │
//     └─────────┴──────────┴──────────┴──> over: error of the client, of the procedure, deadline, cancel, shutdown
//
// The call is over for its client when the first of these comes. What the procedure does after that is not waited for:
// it is told by the call's signal, and its iterators are closed. It counts for `maxCalls` until it ends.

import { guarded, isPromiseLike, type Deadline, type Deadlines } from "@hemi/common";
import { RpcError, type ProcedureKind, streamsIn, streamsOut } from "@hemi/common/rpc";
import { ExchanError } from "../http/exchan-error.ts";
import { callBegan, callEnded } from "./call-counts.ts";
import { Call, type CallOrigin, type CallSurroundings } from "./call.ts";
import type { CallDoor } from "./call-door.ts";
import { CallInputs } from "./call-inputs.ts";
import { beginCallSpan, endCallSpan } from "./call-span.ts";
import type { RpcSettings } from "./rpc-props.ts";
import type { ServedProcedure } from "./served-bundlet.ts";

/** What runs calls: it has the settings, the clock, and knows the streams that are open. */
export interface CallHost extends CallSurroundings {
  readonly settings: Pick<RpcSettings, "maxCalls" | "maxTime" | "maxStreamTime">;
  readonly deadlines: Deadlines;
  /** The numbers that count the calls of a procedure. Default: none do. */
  readonly counts?: { of(path: string): Float64Array } | undefined;
  /** A call that may last for long has begun. */
  streamOpened(run: CallRun): void;
  /** It is over. */
  streamClosed(run: CallRun): void;
}

export class CallRun {
  readonly #host: CallHost;
  readonly #served: ServedProcedure;
  readonly #door: CallDoor;
  readonly #kind: ProcedureKind;
  readonly #call: Call;
  readonly #numbers: Float64Array | undefined;
  readonly #began: number;
  #deadline: Deadline | undefined;
  #isOver = false;
  /** The procedure works: it counts for `maxCalls`, also after the call is over for its client. */
  #isWorking = false;
  /** Where messages for the client come from, as long as more may come. */
  #outputs: AsyncIterator<unknown> | undefined;

  /** `timeout`: what the client asks for, in ms; Infinity: nothing. */
  constructor(host: CallHost, served: ServedProcedure, door: CallDoor, origin: CallOrigin, timeout: number) {
    this.#host = host;
    this.#served = served;
    this.#door = door;
    this.#kind = served.procedure.kind;
    const { maxTime, maxStreamTime } = host.settings;
    const limit = served.limits.maxTime ?? (this.#kind === "unary" ? maxTime : maxStreamTime);
    const time = Math.min(timeout, limit);
    this.#call = new Call(served.path, origin, host, Date.now() + time);
    served.calls++;
    this.#numbers = host.counts?.of(served.path);
    this.#began = this.#numbers === undefined ? 0 : performance.now();
    if (this.#numbers !== undefined) callBegan(this.#numbers);
    beginCallSpan(this.#call);
    if (this.#kind !== "unary") host.streamOpened(this);
    if (time !== Infinity) {
      this.#deadline = host.deadlines.add(() => this.cancel(new RpcError("deadline_exceeded", tooLate)));
      this.#deadline.set(time);
    }
  }

  /** Whether it is over for its client. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Never throws. */
  begin(): void {
    const { settings } = this.#host;
    if (this.#served.calls > (this.#served.limits.maxCalls ?? settings.maxCalls)) {
      return this.#end(new RpcError("resource_exhausted", "too many calls of this procedure are running"));
    }
    if (this.#served.rate?.spend(1) === false) {
      return this.#end(new RpcError("resource_exhausted", "there are too many calls of this procedure a second"));
    }
    if (this.#call.deadline <= Date.now()) return this.#end(new RpcError("deadline_exceeded", tooLate));
    if (streamsIn(this.#kind)) return this.#invoke(new CallInputs(this, this.#door));
    this.#whenReceived((input) => this.#gotInput(input));
  }

  /** Ends the call from outside: its deadline, or the server. */
  cancel(reason: RpcError): void {
    if (this.#isOver) return;
    this.#call.cancel(reason);
    this.#end(reason);
  }

  /** The client has canceled the call, or is gone. */
  clientLeft(): void {
    if (this.#isOver) return;
    const reason = new RpcError("canceled", "the client does not want the answer any more");
    this.#leave(reason);
    this.#door.abandon();
    this.#call.cancel(reason);
    this.#closeOutputs();
  }

  // ---- input ----

  /** Without a promise where the message is here. */
  #whenReceived(next: (message: unknown) => void): void {
    try {
      const received = this.#door.receive();
      if (isPromiseLike(received)) received.then(next, (error: unknown) => this.#failed(error));
      else next(received);
    } catch (error) {
      this.#failed(error);
    }
  }

  #gotInput(input: unknown): void {
    if (this.#isOver) return;
    if (input === undefined)
      return this.#end(new RpcError("unimplemented", "the request has no message: one is needed"));
    this.#whenReceived((more) => {
      if (more === undefined) this.#invoke(input);
      else this.#end(new RpcError("unimplemented", "the request has several messages: the procedure takes one"));
    });
  }

  // ---- output ----

  #invoke(input: unknown): void {
    if (this.#isOver) return;
    try {
      const output = this.#served.invoke(input, this.#call);
      if (!streamsOut(this.#kind)) {
        if (isPromiseLike(output)) {
          this.#isWorking = true;
          output.then(
            (output: unknown) => {
              this.#workDone();
              this.#gotOutput(output);
            },
            (error: unknown) => {
              this.#workDone();
              this.#failed(error);
            },
          );
        } else this.#gotOutput(output);
      } else if (isAsyncIterable(output)) void this.#pump(output);
      else throw new TypeError(`${this.#served.path} streams: it must return an async iterable`);
    } catch (error) {
      this.#failed(error);
    }
  }

  #gotOutput(output: unknown): void {
    if (this.#isOver) return;
    try {
      const sent = this.#door.send(output, this.#call);
      if (sent === undefined) this.#end(undefined);
      else {
        sent.then(
          () => this.#end(undefined),
          (error: unknown) => this.#failed(error),
        );
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The next message is asked for when the client has room for it. */
  async #pump(outputs: AsyncIterable<unknown>): Promise<void> {
    this.#isWorking = true;
    let isAsking = true;
    try {
      const iterator = (this.#outputs = outputs[Symbol.asyncIterator]());
      for (;;) {
        const next = await iterator.next();
        isAsking = false;
        if (this.#isOver) return;
        if (next.done === true) break;
        const sent = this.#door.send(next.value, this.#call);
        if (sent !== undefined) await sent;
        isAsking = true;
      }
    } catch (error) {
      // An iterator is closed by what it throws.
      if (isAsking) this.#outputs = undefined;
      return this.#failed(error);
    } finally {
      this.#workDone();
    }
    this.#outputs = undefined;
    this.#end(undefined);
  }

  /** The procedure has come to its end. */
  #workDone(): void {
    this.#isWorking = false;
    if (this.#isOver) this.#served.calls--;
  }

  // ---- the end ----

  #failed(error: unknown): void {
    const rpcError = this.#asRpcError(error);
    if (!this.#isOver) this.#end(rpcError);
  }

  #end(error: RpcError | undefined): void {
    if (this.#isOver) return;
    this.#leave(error);
    try {
      this.#door.finish(error, this.#call);
    } catch (fault) {
      this.#host.noteFault(fault, this.#call.req);
      this.#door.abandon();
    }
    if (error !== undefined) this.#closeOutputs();
  }

  #leave(error: RpcError | undefined): void {
    this.#isOver = true;
    if (!this.#isWorking) this.#served.calls--;
    if (this.#numbers !== undefined) callEnded(this.#numbers, error?.code, performance.now() - this.#began);
    endCallSpan(this.#call, error);
    this.#deadline?.clear();
    if (this.#kind !== "unary") this.#host.streamClosed(this);
  }

  /** A generator that ignores the signal ends at its next `yield`. */
  #closeOutputs(): void {
    const outputs = this.#outputs;
    this.#outputs = undefined;
    if (outputs?.return === undefined) return;
    guarded(
      () => outputs.return?.(),
      (error) => void this.#asRpcError(error),
    );
  }

  /** What the client is told. Nothing of an error that is not meant for it. */
  #asRpcError(error: unknown): RpcError {
    if (error instanceof RpcError) return error;
    if (error instanceof ExchanError) {
      const code = codes[error.code];
      if (code !== undefined) return new RpcError(code, error.message);
    }
    // Whoever was stopped by the signal may let its reason pass, or an error that it has caused.
    const isStopped = this.#isOver && error instanceof Error && error.name === "AbortError";
    if (!isStopped) this.#host.noteFault(error, this.#call.req);
    return new RpcError("internal");
  }
}

const tooLate = "the deadline of the call is over";

const codes: { readonly [code: string]: RpcError["code"] | undefined } = {
  HEMI_PEER_GONE: "canceled",
  HEMI_TIMEOUT: "deadline_exceeded",
  HEMI_CONTENT_BROKEN: "invalid_argument",
  HEMI_CONTENT_TOO_LARGE: "resource_exhausted",
  HEMI_CONTENT_READ: "canceled",
};

/** Whether a procedure may return it for a stream. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
