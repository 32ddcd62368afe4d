// The trace of one request, or of one connection of a router: its ids, and the spans of what is done for it.
//
//   server span ─┬─ rule ─── handlet ─┬─ attempt at a node
//                │                    ├─ attempt at another one
//                │                    └─ subrequest ─── rule ─── handlet
//                └─ rule ─── handlet: left the request to the next one

import type { Clock } from "../fixtures/clock.ts";
import { newSpanId, newTraceId, traceparentOf, type TraceParent } from "./trace-context.ts";
import type { Span, SpanKind } from "./span.ts";
import type { SpanSink } from "./span-sink.ts";
import type { StorySpan } from "./request-stories.ts";

/** What all traces of a webapp, or of a router, need. */
export interface TraceHost {
  readonly sink: SpanSink;
  /** Its times: spans of one trace are measured by one clock, whatever happens to the system time. */
  readonly clock: Pick<Clock, "now" | "monotonic">;
  /** Names what a step has thrown. */
  nameOf(thrown: unknown): string;
}

/** A span that is under way, and becomes the span that is over. */
export interface OpenSpan extends Span {
  /** NaN until it ends. */
  endTime: number;
  /** What is known of it so far: more may be added until it ends. */
  readonly attributes: Record<string, string | number | boolean>;
  /** As of `Span`, once it has ended. */
  error: string | undefined;
}

/** What the traces of a request and of its subrequests have in common. Most requests never need it. */
interface TraceFamily {
  /** From the monotonic clock to the time since the epoch, in ms. */
  readonly offset: number;
  /** Spans that are over. */
  readonly over: Span[];
  /** Spans that are under way, in the order in which they began. */
  readonly begun: OpenSpan[];
}

/** Of the requests of a client, and of what its subrequests do. */
export class Trace {
  /** Whether spans are recorded: otherwise only the ids are passed on. */
  readonly isSampled: boolean;
  /** The field tracestate; "" if there is none. */
  readonly state: string;
  readonly #host: TraceHost;
  /** On the monotonic clock; 0 where no spans are recorded. */
  readonly #beganAt: number;
  readonly #parentId: string;
  #traceId: string | undefined;
  #spanId: string | undefined;
  /** Those that are under way, outermost first. `undefined`: there was none yet. */
  #open: OpenSpan[] | undefined;
  #count = 0;
  /** Of this trace and of those of its subrequests. */
  #family: TraceFamily | undefined;

  /**
   * `parent`: the span of the sender. Without it, the trace begins here. `family`: of the trace of which it is a part.
   */
  constructor(host: TraceHost, isSampled: boolean, parent: TraceParent | undefined, family?: TraceFamily) {
    this.#host = host;
    this.#family = family;
    this.#beganAt = isSampled ? host.clock.monotonic() : 0;
    this.isSampled = isSampled;
    this.#traceId = parent?.traceId;
    this.#parentId = parent?.spanId ?? "";
    this.state = parent?.state ?? "";
  }

  /** Of a sampled one: in ms since the epoch, with fractions. */
  get startTime(): number {
    return this.#members.offset + this.#beganAt;
  }

  /** 32 hexadecimal digits. */
  get traceId(): string {
    return (this.#traceId ??= newTraceId());
  }

  /** Of the server span: 16 hexadecimal digits. */
  get spanId(): string {
    return (this.#spanId ??= newSpanId());
  }

  /** Of the present step: a handlet, a rule, or the request itself. */
  get activeSpanId(): string {
    return this.#open?.at(-1)?.spanId ?? this.spanId;
  }

  /** The field for those who are asked on behalf of this request. */
  get traceparent(): string {
    return traceparentOf(this.traceId, this.spanId, this.isSampled);
  }

  /** For a request that is made for this one: its spans stand below the present one. */
  child(): Trace {
    const { isSampled, traceId, activeSpanId: spanId, state } = this;
    return new Trace(this.#host, isSampled, { traceId, spanId, isSampled, state }, this.#members);
  }

  /** Begins a span, below the present one by default; `undefined` where none is recorded, or if there are too many. */
  begin(name: string, kind: SpanKind, parentId = this.activeSpanId): OpenSpan | undefined {
    if (!this.isSampled || this.#count >= maxSpans) return undefined;
    this.#count++;
    const span = this.#newSpan(newSpanId(), parentId, name, kind, this.#now(), {});
    this.#members.begun.push(span);
    return span;
  }

  /** Ends a span. `error`: why it failed. */
  end(span: OpenSpan, error?: string): void {
    const { begun } = this.#members;
    const at = begun.lastIndexOf(span);
    if (at >= 0) begun.splice(at, 1);
    this.#take(span, error);
  }

  /** What was done so far, also for subrequests: spans that are over, then those that are under way. */
  get spans(): readonly StorySpan[] {
    const { over, begun } = this.#members;
    return [...over, ...begun.map((span) => ({ ...span, endTime: null }))];
  }

  /**
   * Runs a step of the request, with a span that is the present one until the step leaves the request to the next one,
   * or fails. If it takes the request, the span lasts until the response ends.
   */
  run(name: string, step: () => boolean | Promise<boolean>): boolean | Promise<boolean> {
    const span = this.enter(name);
    if (span === undefined) return step();
    try {
      const taken = step();
      if (taken === false) this.leave(span);
      if (typeof taken === "boolean") return taken;
      return taken.then(
        (taken) => {
          if (!taken) this.leave(span);
          return taken;
        },
        (error: unknown) => {
          this.leave(span, this.#host.nameOf(error));
          throw error;
        },
      );
    } catch (error) {
      this.leave(span, this.#host.nameOf(error));
      throw error;
    }
  }

  /** Begins the span of a step, which is the present one until `leave`, or until the end of the trace. */
  enter(name: string): OpenSpan | undefined {
    const span = this.begin(name, "internal");
    if (span !== undefined) (this.#open ??= []).push(span);
    return span;
  }

  /** Ends the span of a step. `error`: why it failed. */
  leave(span: OpenSpan, error?: string): void {
    const at = this.#open?.indexOf(span) ?? -1;
    // The response may have ended meanwhile, and the span with it.
    if (at < 0) return;
    this.#open?.splice(at, 1);
    this.end(span, error);
  }

  /**
   * The response has ended: so do all spans, the server span as the last one. `startTime`: in ms since the epoch; to be
   * given where no spans are recorded.
   */
  finish(server: Pick<OpenSpan, "name" | "kind" | "attributes" | "error">, startTime = this.startTime): void {
    const { name, kind, attributes, error } = server;
    for (const span of this.#open?.toReversed() ?? []) this.end(span, error);
    this.#open = undefined;
    this.#take(this.#newSpan(this.spanId, this.#parentId, name, kind, startTime, attributes), error);
  }

  /** All spans are made here, with the same fields in the same order: whoever reads many of them is faster. */
  #newSpan(
    spanId: string,
    parentId: string,
    name: string,
    kind: SpanKind,
    startTime: number,
    attributes: OpenSpan["attributes"],
  ): OpenSpan {
    const { traceId, state } = this;
    const [endTime, error] = [NaN, undefined];
    return { traceId, spanId, parentId, state, name, kind, startTime, endTime, attributes, error };
  }

  #take(span: OpenSpan, error: string | undefined): void {
    span.endTime = this.#now();
    span.error = error;
    this.#host.sink.takeSpan(span);
    const { over } = this.#members;
    if (over.length < maxKept) over.push(span);
  }

  get #members(): TraceFamily {
    const { clock } = this.#host;
    return (this.#family ??= { offset: clock.now() - clock.monotonic(), over: [], begun: [] });
  }

  #now(): number {
    return this.#members.offset + this.#host.clock.monotonic();
  }
}

/** Of one request; further ones are left out. Not a prop: nobody reads more. */
const maxSpans = 256;
/** With those of subrequests, for the story of the request. */
const maxKept = 1024;
