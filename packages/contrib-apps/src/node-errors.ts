// Errors with the codes by which Node.js tells an app what it did wrong: apps and libraries look at the codes.

/** An error as Node.js makes it: the code stands in its name, too. */
export function nodeError(code: string, message: string, Kind: ErrorConstructor = Error): NodeJS.ErrnoException {
  return Object.assign(new Kind(message), { code });
}

export function headSent(verb: string): NodeJS.ErrnoException {
  return nodeError("ERR_HTTP_HEADERS_SENT", `Cannot ${verb} headers after they are sent to the client`);
}

export function writeAfterEnd(): NodeJS.ErrnoException {
  return nodeError("ERR_STREAM_WRITE_AFTER_END", "write after end");
}

export function streamDestroyed(method: string): NodeJS.ErrnoException {
  return nodeError("ERR_STREAM_DESTROYED", `Cannot call ${method} after a stream was destroyed`);
}

export function alreadyFinished(method: string): NodeJS.ErrnoException {
  return nodeError("ERR_STREAM_ALREADY_FINISHED", `Cannot call ${method} after a stream was finished`);
}

/** What a request gets whose client has left before it was complete. */
export function clientAborted(): NodeJS.ErrnoException {
  return nodeError("ECONNRESET", "aborted");
}
