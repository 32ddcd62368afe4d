// The fields of a request whose webapp has tracing: those received, with the trace context that is passed on.

import { ListedFields, listWithout, type Fields } from "../../http/fields.ts";
import type { Trace } from "../../operator/trace.ts";

/**
 * The trace context is made when somebody reads it. Most requests pass nothing on, and whoever reads another field, or
 * asks whether there is one, shall not pay for ids.
 */
export class TracedFields implements Fields {
  readonly #received: Fields;
  readonly #request: { readonly trace: Trace | undefined };
  #whole: Fields | undefined;

  constructor(received: Fields, request: { readonly trace: Trace | undefined }) {
    this.#received = received;
    this.#request = request;
  }

  get count(): number {
    return this.#all.count;
  }

  get neverIndexed(): ReadonlySet<string> | undefined {
    return this.#received.neverIndexed;
  }

  get(name: string): string | undefined {
    return this.#holderOf(name).get(name);
  }

  getAll(name: string): readonly string[] {
    return this.#holderOf(name).getAll(name);
  }

  has(name: string): boolean {
    return this.#holderOf(name).has(name);
  }

  [Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    return this.#all[Symbol.iterator]();
  }

  #holderOf(name: string): Fields {
    return traceFields.has(name.toLowerCase()) ? this.#all : this.#received;
  }

  get #all(): Fields {
    return (this.#whole ??= this.#join());
  }

  #join(): Fields {
    const { trace } = this.#request;
    if (trace === undefined) return this.#received;
    const list = listWithout(this.#received, traceFields);
    list.push("traceparent", trace.traceparent);
    if (trace.state !== "") list.push("tracestate", trace.state);
    return new ListedFields(list, this.#received.neverIndexed);
  }
}

const traceFields: ReadonlySet<string> = new Set(["traceparent", "tracestate"]);
