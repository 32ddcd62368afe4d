// Hedging: where an answer takes long, the call is made once more at another node, and the first answer counts.
//
//   first attempt ────────────────── slow …   ── given up
//        └ hedgeDelay ─> second attempt ── answer ──> the caller
//
// For unary calls that may be repeated only (J. Dean, L. A. Barroso: The Tail at Scale, 2013).

import { quietly } from "@hemi/common";
import { pause, RpcError, type Metadata, type OutgoingCall } from "@hemi/common/rpc";

/** One attempt. It keeps what it gets to itself until it has won. */
interface Attempt {
  readonly messages: unknown[];
  headers: Metadata | undefined;
  trailers: Metadata | undefined;
}

export interface HedgeOptions {
  /** In ms. */
  readonly delay: number;
  /** Whether a second attempt may be made now. */
  readonly mayHedge: () => boolean;
  /** Makes the call. */
  readonly attempt: (call: OutgoingCall) => AsyncIterable<unknown>;
}

/** The messages of the attempt that answers first. Throws RpcError if none does: that of the last one. */
export async function* hedged(call: OutgoingCall, options: HedgeOptions): AsyncGenerator<unknown, void, void> {
  const over = new AbortController();
  const signal = AbortSignal.any([call.signal, over.signal]);
  const run = async (): Promise<Attempt> => {
    const attempt: Attempt = { messages: [], headers: undefined, trailers: undefined };
    const own: OutgoingCall = {
      ...call,
      signal,
      headersCame: (headers) => (attempt.headers = headers),
      trailersCame: (trailers) => (attempt.trailers = trailers),
    };
    for await (const message of options.attempt(own)) attempt.messages.push(message);
    return attempt;
  };
  const waiting = new AbortController();
  const first = quietly(run().finally(() => waiting.abort()));
  await pause(options.delay, waiting.signal);
  const isHedged = !waiting.signal.aborted && options.mayHedge();
  try {
    const { messages, headers, trailers } = await Promise.any(isHedged ? [first, run()] : [first]);
    if (headers !== undefined) call.headersCame(headers);
    yield* messages;
    if (trailers !== undefined) call.trailersCame(trailers);
  } catch (error) {
    call.signal.throwIfAborted();
    throw error instanceof AggregateError ? error.errors.at(-1) : error;
  } finally {
    over.abort(new RpcError("canceled", "another attempt has answered"));
  }
}
