// For promises that nobody needs to await.

/** Returns the same promise. If it rejects and nobody handles it, the process does not end. */
export function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(noop);
  return promise;
}

function noop(): void {}
