// For promises that may be left alone.

/** The same promise; if it rejects and nobody looks at it, that does not end the process. */
export function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(noop);
  return promise;
}

function noop(): void {}
