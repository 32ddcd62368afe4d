// Runs callbacks that stand alone: called by a socket's event, a timer or the end of an exchange, so that no code of ours is above them to catch what they throw.

/**
 * Runs a callback. What it throws, and what a promise that it returns rejects with, goes to `failed`, and no further: uncaught, it would end the process
 * with all other connections. `failed` says in the log whose callback it was, and closes what can no longer be trusted; it must not throw.
 */
export function guarded(run: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = run();
    if (isPromiseLike(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

/** Whether something can be awaited. The types of a callback do not tell: one that returns `void` may be given an async function. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
