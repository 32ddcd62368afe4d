// The context of @opentelemetry/api within requests: spans that an app begins hang below the step that runs it.

import { AsyncLocalStorage } from "node:async_hooks";
import { createTraceState, ROOT_CONTEXT, trace, TraceFlags } from "@opentelemetry/api";
import type { Context, ContextManager } from "@opentelemetry/api";
import { currentTrace } from "@hemi/internal";

/**
 * A context manager for `@opentelemetry/api`, or for a provider of its SDK. Where code runs for a request whose webapp
 * sets `traceInContext`, and no span of the app is active, the active span is that of the handlet, rule or request.
 *
 * ```ts
 * context.setGlobalContextManager(new HemiContextManager());
 * ```
 */
export class HemiContextManager implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  /** The context of the calling code. */
  active(): Context {
    const context = this.#storage.getStore() ?? ROOT_CONTEXT;
    const present = trace.getSpan(context) === undefined ? currentTrace() : undefined;
    if (present === undefined) return context;
    const { traceId, activeSpanId: spanId, isSampled, state } = present;
    return trace.setSpanContext(context, {
      traceId,
      spanId,
      traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
      ...(state !== "" && { traceState: createTraceState(state) }),
    });
  }

  /** Calls a function in a context. */
  with<Args extends unknown[], Called extends (...args: Args) => ReturnType<Called>>(
    context: Context,
    called: Called,
    self?: ThisParameterType<Called>,
    ...args: Args
  ): ReturnType<Called> {
    return this.#storage.run(context, () => called.apply(self, args));
  }

  /** The function, which runs in that context whenever it is called. Other values stay as they are. */
  bind<Target>(context: Context, target: Target): Target {
    if (typeof target !== "function") return target;
    return new Proxy(target, {
      apply: (called, self: unknown, args: unknown[]): unknown =>
        this.#storage.run(context, (): unknown => Reflect.apply(called, self, args)),
    });
  }

  /** It needs nothing to begin. */
  enable(): this {
    return this;
  }

  /** No context that was set before is active any more. */
  disable(): this {
    this.#storage.disable();
    return this;
  }
}
