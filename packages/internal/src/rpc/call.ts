// A call, as a procedure sees it: who calls, for how long the answer is wanted, and what goes beside the messages.

import { guardSignal } from "@hemi/common";
import { Metadata, type RpcError, type Transport } from "@hemi/common/rpc";
import type { ErrorLog } from "../log/error-log.ts";
import type { Peer } from "../net/peer.ts";
import { readTraceParent, traceparentOf, type TraceParent } from "../operator/trace-context.ts";
import type { OpenSpan, Trace } from "../operator/trace.ts";
import type { Request } from "../web/request/request.ts";
import type { Identity } from "./identity.ts";

/** What a call comes from: an HTTP request, or code in the same process. */
export interface CallOrigin {
  /** The HTTP request; `undefined` for a call inside the process. */
  readonly req: Request | undefined;
  /** What the client sent beside the messages. */
  readMetadata(): Metadata;
  /** The other end; `undefined` for a call inside the process. */
  readonly peer: Peer | undefined;
  /** Who calls. Asked at most once. */
  readIdentity(): Identity;
  /** Of the client's request, if spans are recorded for it. */
  readonly trace: Trace | undefined;
  /** Of the call that it is made for, inside the process. */
  readonly parentSpan?: OpenSpan | undefined;
  /** Calls the client; `undefined` where the protocol cannot do that. */
  readonly caller: Transport | undefined;
}

/** The surroundings of a call. */
export interface CallSurroundings {
  readonly log: ErrorLog;
  /** Reports an error that has no other caller. */
  noteFault(error: unknown, req: Request | undefined): void;
}

/** One call of a procedure. */
export class Call {
  /** The procedure by its path: `/shop.v1.Stock/find`. */
  readonly path: string;
  /** The id of the message that a procedure sends next, for event streams: see `lastEventId`. `undefined`: none. */
  eventId: string | undefined;
  /** For the engine: its span, if spans are recorded. */
  span: OpenSpan | undefined;
  readonly #origin: CallOrigin;
  readonly #surroundings: CallSurroundings;
  /** In ms since the epoch. */
  readonly #deadline: number;
  #abort: AbortController | undefined;
  #canceled: RpcError | undefined;
  #metadata: Metadata | undefined;
  #identity: Identity | undefined;
  #headers: Metadata | undefined;
  #trailers: Metadata | undefined;

  /** For the engine. `deadline` in milliseconds since the epoch; Infinity: none. */
  constructor(path: string, origin: CallOrigin, surroundings: CallSurroundings, deadline: number) {
    this.path = path;
    this.#origin = origin;
    this.#surroundings = surroundings;
    this.#deadline = deadline;
  }

  /** The metadata of the client. */
  get metadata(): Metadata {
    return (this.#metadata ??= this.#origin.readMetadata());
  }

  /** Metadata for the client, sent before the first message: what is set later is not sent. */
  get headers(): Metadata {
    return (this.#headers ??= new Metadata());
  }

  /** Metadata for the client, sent after the last message, or with an error. */
  get trailers(): Metadata {
    return (this.#trailers ??= new Metadata());
  }

  /** For the engine: the headers, if there are any. */
  get ownHeaders(): Metadata | undefined {
    return this.#headers;
  }

  /** For the engine: the trailers, if there are any. */
  get ownTrailers(): Metadata | undefined {
    return this.#trailers;
  }

  /** The HTTP request that the call came by; `undefined` for a call inside the process. */
  get req(): Request | undefined {
    return this.#origin.req;
  }

  /** The other end of the connection; `undefined` for a call inside the process. */
  get peer(): Peer | undefined {
    return this.#origin.peer;
  }

  /** For the engine: the trace that it belongs to, if spans are recorded. */
  get trace(): Trace | undefined {
    return this.#origin.trace;
  }

  /** For the engine: the span that its own stands below, if another call makes it inside the process. */
  get parentSpan(): OpenSpan | undefined {
    return this.#origin.parentSpan;
  }

  /**
   * The trace context of this call, in the form of the field `traceparent`, for whatever is asked for on its behalf;
   * `undefined` if it has none. Calls with this one as their `parent` hand it on by themselves.
   */
  get traceparent(): string | undefined {
    const parent = this.#traceParent;
    return parent && traceparentOf(parent.traceId, parent.spanId, parent.isSampled);
  }

  /** For clients: the metadata of a call that is made for this one, with the trace context. */
  handOn(metadata: Metadata | undefined): Metadata | undefined {
    const parent = this.#traceParent;
    if (parent === undefined || metadata?.has("traceparent") === true) return metadata;
    const whole = new Metadata({ traceparent: traceparentOf(parent.traceId, parent.spanId, parent.isSampled) });
    if (parent.state !== "") whole.set("tracestate", parent.state);
    if (metadata !== undefined) whole.addAll(metadata);
    return whole;
  }

  /** For those who are asked on behalf of this call. */
  get #traceParent(): TraceParent | undefined {
    const { trace, span } = this;
    if (trace !== undefined && span !== undefined) {
      const { traceId, isSampled, state } = trace;
      return { traceId, spanId: span.spanId, isSampled, state };
    }
    // Repeated ones are joined, which makes them none.
    return readTraceParent({ get: (name) => this.metadata.getAll(name).join() });
  }

  /**
   * Who calls, as the handshake and the checkers before the procedure have established it. A call that another call
   * makes inside the process, as its `parent`, has the identity of that one.
   */
  get identity(): Identity {
    return (this.#identity ??= this.#origin.readIdentity());
  }

  /**
   * The way back, for calls of procedures that the client serves: `makeClient(progress, call.caller)`. It lasts as long
   * as the connection. `undefined` where the protocol cannot do that: only hrpc can.
   */
  get caller(): Transport | undefined {
    return this.#origin.caller;
  }

  /** The log of the component that serves the call. */
  get log(): ErrorLog {
    return this.#surroundings.log;
  }

  /** When the answer is too late, in milliseconds since the epoch; Infinity: never. */
  get deadline(): number {
    return this.#deadline;
  }

  /** How long the answer is still wanted, in milliseconds, at least 0; Infinity: as long as it takes. */
  get timeLeft(): number {
    return Math.max(0, this.#deadline - Date.now());
  }

  /**
   * Aborts when the client cancels the call or leaves, when the deadline is over, and when the server gives the call
   * up. Its reason is an RpcError. Pass it on to whatever the procedure waits for.
   */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = (this.#abort = new AbortController());
      guardSignal(abort.signal, (error) => this.#surroundings.noteFault(error, this.req));
      if (this.#canceled !== undefined) abort.abort(this.#canceled);
    }
    return this.#abort.signal;
  }

  /**
   * The id of the last message that the client has got in an earlier call, if it wants the stream to go on behind it:
   * the `eventId` of that message.
   */
  get lastEventId(): string | undefined {
    return this.metadata.get("last-event-id");
  }

  /** For the engine: nobody wants the answer any more. */
  cancel(reason: RpcError): void {
    this.#canceled = reason;
    this.#abort?.abort(reason);
  }
}
