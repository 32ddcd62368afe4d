// The span of one attempt of a proxy, in a request that is traced.

import type { OpenSpan, Trace } from "../../operator/trace.ts";

/** How an attempt ended. */
interface AttemptOutcome {
  /** Its address. */
  readonly node: string | undefined;
  /** Of the answer, if one has come. */
  readonly status: number | undefined;
  /** Why it failed. */
  readonly error: string | undefined;
}

export class AttemptSpan {
  readonly #trace: Trace;
  readonly #span: OpenSpan;

  /** `attempt`: 1 is the first one. `undefined`: the trace takes no more spans. */
  static begin(trace: Trace, method: string, attempt: number): AttemptSpan | undefined {
    const span = trace.begin("attempt", "client");
    if (span === undefined) return undefined;
    Object.assign(span.attributes, { "http.request.method": method, "hemi.attempt": attempt });
    return new AttemptSpan(trace, span);
  }

  private constructor(trace: Trace, span: OpenSpan) {
    this.#trace = trace;
    this.#span = span;
  }

  end({ node, status, error }: AttemptOutcome): void {
    Object.assign(this.#span.attributes, {
      ...(node !== undefined && { "server.address": node }),
      ...(status !== undefined && { "http.response.status_code": status }),
      ...(error !== undefined && { "error.type": error }),
    });
    this.#trace.end(this.#span, error);
  }
}
