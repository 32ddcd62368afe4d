// The fields of a request, as its handlets see them: as received or replaced, with the trace context of its webapp.

import { checkFieldName, checkFieldValue } from "../../http/field-list.ts";
import type { ExchanWire } from "../../http/exchan.ts";
import { ListedFields, listWithout, type Fields } from "../../http/fields.ts";
import { listMembers } from "../../http/list-members.ts";
import { readTraceParent } from "../../operator/trace-context.ts";
import { Trace } from "../../operator/trace.ts";
import { TracedFields } from "../trace/traced-fields.ts";
import { parseCookies, type Cookies } from "./cookies.ts";
import { RequestTarget } from "./request-target.ts";

/** Makes the traces of requests. */
export interface RequestTracer {
  /** Of a request with these fields, as they were received. */
  traceOf(fields: Fields, isSampled: boolean): Trace;
}

/** Target and fields of a request. Its constructor sets plain properties, for the reason that `HeadDraft` gives. */
export abstract class RequestHeaders extends RequestTarget {
  declare protected readonly wire: ExchanWire;
  /** Fields that replace those received. */
  declare private replaced: Fields | undefined;
  declare private parsedCookies: Cookies | undefined;
  declare private tracer: RequestTracer | undefined;
  declare private ownTrace: Trace | undefined;

  constructor(wire: ExchanWire) {
    super();
    this.wire = wire;
    this.replaced = undefined;
    this.parsedCookies = undefined;
    this.tracer = undefined;
    this.ownTrace = undefined;
  }

  /** All fields of the head. With tracing, the trace context is that for those who are asked on its behalf. */
  get headers(): Fields {
    if (this.replaced !== undefined) return this.replaced;
    const { fields } = this.wire.head;
    return this.tracer === undefined ? fields : (this.replaced = new TracedFields(fields, this));
  }

  /**
   * For the engine: its trace, if its webapp has tracing. That of a request that is not sampled is made when somebody
   * asks for it: most requests pass no trace context on.
   */
  get trace(): Trace | undefined {
    return (this.ownTrace ??= this.tracer?.traceOf(this.wire.head.fields, false));
  }

  /** For the engine: the trace, if spans are recorded. */
  get sampledTrace(): Trace | undefined {
    return this.ownTrace?.isSampled === true ? this.ownTrace : undefined;
  }

  /** For the engine: its webapp has tracing. Called before anything else is done for the request. */
  traceBy(tracer: RequestTracer, isSampled: boolean): void {
    this.tracer = tracer;
    if (isSampled) this.ownTrace = tracer.traceOf(this.wire.head.fields, true);
  }

  /** For the engine: it is a part of what is done for another request. */
  joinTrace(tracer: RequestTracer, trace: Trace): void {
    this.tracer = tracer;
    this.ownTrace = trace;
  }

  /** It is the same request as `other`. */
  protected joinTraceOf(other: RequestHeaders): void {
    if (other.tracer !== undefined && other.trace !== undefined) this.joinTrace(other.tracer, other.trace);
  }

  /** For the engine: of the request that has made this one. */
  get parentTrace(): Trace | undefined {
    const trace = this.wire.lineage?.trace;
    return trace instanceof Trace ? trace : undefined;
  }

  /** The id of its trace, here or at its client: 32 hexadecimal digits; "" if it has none. */
  get traceId(): string {
    return this.trace?.traceId ?? readTraceParent(this.headers)?.traceId ?? "";
  }

  /**
   * Sets a field to other values for the following handlets; without values, removes it. Also removes the options of
   * the client's `connection` field: it could name this field, and a proxy would then drop it. Throws HEMI_BAD_FIELD.
   */
  replaceHeader(name: string, values: readonly string[]): void {
    const replaced = checkFieldName(name);
    const left = new Set([replaced, "connection", ...listMembers((this.header("connection") ?? "").toLowerCase())]);
    const list = listWithout(this.headers, left);
    for (const value of values) list.push(replaced, checkFieldValue(replaced, value));
    this.replaced = new ListedFields(list, this.headers.neverIndexed);
  }

  /** The value of a field; the values of repeated fields are joined by `, `. */
  header(name: string): string | undefined {
    return this.headers.get(name);
  }

  /** For its content. */
  recoded(coding: string): void {
    const list = listWithout(this.headers, new Set(["content-encoding", "content-length"]));
    if (coding !== "") list.push("content-encoding", coding);
    this.replaced = new ListedFields(list, this.headers.neverIndexed);
  }

  /** All cookies, by name. */
  get cookies(): Cookies {
    return (this.parsedCookies ??= parseCookies(this.header("cookie") ?? ""));
  }

  /** The value of a cookie, decoded; `undefined` if the client sent no cookie of this name. */
  cookie(name: string): string | undefined {
    return this.cookies[name];
  }
}
