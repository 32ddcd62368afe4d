// Cancels a stream of an app without a listener for the result.

interface Cancelable {
  cancel(reason?: unknown): unknown;
}

/**
 * A body or its reader. An app's own implementation may throw where the web's classes reject, and return no promise.
 */
export function cancelQuietly(stream: Cancelable | null, reason?: unknown): void {
  try {
    Promise.resolve(stream?.cancel(reason)).catch(noop);
  } catch {
    // It is over for us, whether or not the app had something left to do.
  }
}

function noop(): void {}
