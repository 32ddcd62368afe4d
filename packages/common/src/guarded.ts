// Runs callbacks without a caller that could catch errors: those of socket events, timers, or the end of an exchange.

/**
 * Runs a callback. An error that it throws, or that its promise rejects with, is passed to `failed`: uncaught, it would
 * end the process with all other connections. `failed` logs the owner of the callback, and closes what can no longer be
 * trusted; it must not throw.
 */
export function guarded(run: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = run();
    if (isPromiseLike(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

/**
 * Whether a value can be awaited. The type of a callback does not show this: one that returns `void` may be an async
 * function.
 */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
