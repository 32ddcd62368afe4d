// The tracing of a webapp: which requests are traced, and where their spans go.

import { AsyncLocalStorage } from "node:async_hooks";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { Clock } from "../../fixtures/clock.ts";
import type { EndReason } from "../../http/end-reason.ts";
import { addonKind } from "../../stage/kinds/addon.ts";
import type { Fields } from "../../http/fields.ts";
import type { RequestTracer } from "../request/request-headers.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import type { ResponseTracer, TrackedResponse } from "../response/tracked-response.ts";
import type { RequestStories } from "../../operator/request-stories.ts";
import { Sampler } from "../../operator/sampler.ts";
import { spanSink } from "../../operator/span-sink.ts";
import { readTraceParent } from "../../operator/trace-context.ts";
import { Trace, type TraceHost } from "../../operator/trace.ts";
import { Fault } from "../dispatch/fault.ts";
import { knownMethod, requestAttributes } from "./request-attributes.ts";

export const traceProps = {
  /**
   * The addon that takes the spans of traced requests. With it, requests carry a trace context (`traceparent`,
   * `tracestate`) to backends, programs and apps, which continues that of the client. Unset: those fields are passed on
   * as they come.
   */
  traceTo: prop.reference(addonKind, { offering: spanSink }),
  /** Of a million requests, so many are traced. Default: 1 %. */
  tracesPerMillion: prop.integer({ default: 10_000, max: 1_000_000, reload: "live" }),
  /**
   * Peers whose decision counts: their requests are traced if their `traceparent` says so. Others could fill the
   * collector.
   */
  trustTraceparent: prop.addresses({ default: [] }),
  /** Whether each response from 500 on gives its server span, if the request is not traced. */
  traceErrors: prop.bool({ default: true, reload: "live" }),
  /**
   * Whether code that runs for a request finds its trace by `currentTrace()`, at the cost of an asynchronous context.
   */
  traceInContext: prop.bool({ default: false }),
};

const storage = new AsyncLocalStorage<Trace>();

/** The trace of the request for which the calling code runs, if its webapp sets `traceInContext`. */
export function currentTrace(): Trace | undefined {
  return storage.getStore();
}

export class Tracing implements TraceHost, RequestTracer, ResponseTracer {
  readonly #props: PropsOf<typeof traceProps>;
  readonly clock: Clock;
  readonly #stories: RequestStories;
  readonly #sampler = new Sampler();
  /** The path of the webapp. */
  readonly #path: () => string;

  constructor(props: PropsOf<typeof traceProps>, clock: Clock, stories: RequestStories, path: () => string) {
    this.#props = props;
    this.clock = clock;
    this.#stories = stories;
    this.#path = path;
  }

  get sink(): TraceHost["sink"] {
    return this.#props.traceTo?.current ?? noSink;
  }

  nameOf(error: unknown): string {
    const thrown = error instanceof Fault ? error.cause : error;
    return thrown instanceof Error ? thrown.name : "Error";
  }

  /**
   * Gives a request of a client, or a subrequest, its trace, before anything else is done for it. Of a client's request
   * that is not sampled, only this is noted: it costs next to nothing.
   */
  begin(req: Request, resp: Response): void {
    if (req.depth > 0) return this.#beginInner(req, resp);
    req.traceBy(this, this.#isSampled(req));
    resp.traceBy(this);
  }

  #beginInner(req: Request, resp: Response): void {
    const trace = req.parentTrace?.child();
    if (trace === undefined) return;
    req.joinTrace(this, trace);
    const startTime = this.clock.now();
    resp.onEnd((status, _sent, reason) => {
      const isWanted = trace.isSampled || ((status ?? 0) >= 500 && this.#props.traceErrors);
      if (isWanted) this.#finish(resp, status, reason, startTime);
    });
  }

  #isSampled(req: Request): boolean {
    const { tracesPerMillion, trustTraceparent } = this.#props;
    if (trustTraceparent.texts.length > 0 && trustTraceparent.contains(req.sender.address)) {
      const parent = readTraceParent(req.headers);
      if (parent !== undefined) return parent.isSampled;
    }
    return this.#sampler.takesNext(tracesPerMillion);
  }

  traceOf(fields: Fields, isSampled: boolean): Trace {
    return new Trace(this, isSampled, readTraceParent(fields));
  }

  /** Whether what is done for a request runs in the context of its trace. */
  get isInContext(): boolean {
    return this.#props.traceInContext;
  }

  /** Does something in the context of a trace. */
  runIn(trace: Trace, serve: () => boolean | Promise<boolean>): boolean | Promise<boolean> {
    return storage.run(trace, serve);
  }

  ended(resp: TrackedResponse, status: number | undefined, reason: EndReason): void {
    const { req } = resp;
    const isError = (status ?? 0) >= 500;
    const sampled = req?.sampledTrace;
    // Most requests end here: no clock was read for them, and no id was made.
    if (sampled === undefined && !(isError && this.#props.traceErrors)) return;
    this.#finish(resp, status, reason, sampled?.startTime ?? this.clock.now() - resp.age);
  }

  /** `startTime`: in ms since the epoch. */
  #finish(resp: TrackedResponse, status: number | undefined, reason: EndReason, startTime: number): void {
    const { req } = resp;
    const trace = req?.trace;
    if (req === undefined || trace === undefined) return;
    const isError = (status ?? 0) >= 500;
    const error = isError ? String(status) : reason === "complete" ? undefined : reason;
    const attributes = requestAttributes(req);
    attributes["hemi.component"] = this.#path();
    if (status !== undefined) attributes["http.response.status_code"] = status;
    if (error !== undefined) attributes["error.type"] = error;
    const name = `${knownMethod(req.method) ?? "HTTP"} ${this.#path()}`;
    const isInner = req.depth > 0;
    trace.finish({ name, kind: isInner ? "internal" : "server", error, attributes }, startTime);
    if (isInner) return;
    const { traceId, spans } = trace;
    const duration = (spans.at(-1)?.endTime ?? startTime) - startTime;
    if (trace.isSampled) resp.keepExemplar(traceId, duration, startTime + duration);
    this.#stories.keep({ requestId: req.id, traceId, startTime, duration, isOver: true, attributes, spans });
  }
}

const noSink = { takeSpan: () => undefined };
