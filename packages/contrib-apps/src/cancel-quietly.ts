// Cancels what an app streams, when nobody listens to what comes of that.

interface Cancelable {
  cancel(reason?: unknown): unknown;
}

/** A body or its reader. An app can bring one of its own, which may throw where those of the web reject, and return no promise. */
export function cancelQuietly(stream: Cancelable | null, reason?: unknown): void {
  try {
    Promise.resolve(stream?.cancel(reason)).catch(noop);
  } catch {
    // It is over for us, whether or not the app had something left to do.
  }
}

function noop(): void {}
