// Reads the content of a response of fetch, which may be broken off at any time.

import { endOfStreamFromJson, RpcError, tooLarge, type OutgoingCall } from "@hemi/common/rpc";

/** The pieces as they come. Throws RpcError `unavailable`, or the reason of the signal. */
export async function* readPieces(response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const next = await reader.read().catch((cause: unknown) => {
        signal.throwIfAborted();
        throw brokenOff(cause);
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Whoever leaves early wants no more of it.
    await reader.cancel().catch(() => {});
  }
}

/** All of it, up to `maxSize` bytes. Throws RpcError like `readPieces`, and `resource_exhausted`. */
export async function readAll(response: Response, maxSize: number, signal: AbortSignal): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of readPieces(response, signal)) {
    size += piece.length;
    if (size > maxSize) throw tooLarge(undefined, maxSize);
    pieces.push(piece);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Ends a call with the text of the last message of its stream. Throws the error that it tells, or that it is. */
export function endCall(call: OutgoingCall, text: string): void {
  const { error, trailers } = endOfStreamFromJson(text);
  call.trailersCame(trailers);
  if (error !== undefined) throw error;
}

/** For an answer without its end. */
export function brokenOff(cause?: unknown): RpcError {
  return new RpcError("unavailable", "the answer was broken off", { cause });
}
