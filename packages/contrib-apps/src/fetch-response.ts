// Sends the web-standard Response that a fetch app gave.
//
//   body is there at once (text, JSON, bytes) ──> head and content in one go, with its length
//   body comes in time ──> head at once; pieces as they come, while the client takes them
//          fails ──> before the head: 500; later: the answer is broken off
//          client leaves ──> the stream is cancelled

import type { Request as HemiRequest, Response as HemiResponse } from "@hemi/internal";
import { contentLengthOf, hasNoContent, isFramingName, sendWhole } from "./app-fields.ts";

type Reader = ReadableStreamDefaultReader<unknown>;
type Reading = Awaited<ReturnType<Reader["read"]>>;

/** Settles when the answer is complete. Rejects with what the body failed with, or HEMI_PEER_GONE. */
export async function sendFetchResponse(req: HemiRequest, resp: HemiResponse, response: Response): Promise<void> {
  const { status, headers, body } = response;
  resp.status = status;
  for (const [name, value] of headers) {
    if (name === "set-cookie") resp.addHeader(name, value);
    else if (!isFramingName(name)) resp.setHeader(name, value);
  }
  const announced = contentLengthOf(headers.get("content-length"));
  if (body === null || req.method === "HEAD" || hasNoContent(status)) {
    body?.cancel().catch(noop);
    return sendWhole(resp, req.method, announced, undefined);
  }

  const reader: Reader = body.getReader();
  let reading = reader.read();
  const first = await soon(reading);
  if (first?.done === true) return sendWhole(resp, req.method, announced, undefined);
  if (first !== undefined) {
    reading = reader.read();
    const piece = pieceOf(first);
    const second = await soon(reading).catch(noop);
    if (second?.done === true) return sendWhole(resp, req.method, announced, piece);
    return sendStream(req, resp, reader, announced, piece, reading);
  }
  return sendStream(req, resp, reader, announced, "", reading);
}

/** Sends `first`, then what `reading` and the reader give after it. */
async function sendStream(
  req: HemiRequest,
  resp: HemiResponse,
  reader: Reader,
  announced: number | undefined,
  first: string | Uint8Array,
  reading: Promise<Reading>,
): Promise<void> {
  const cancel = (reason?: unknown) => void reader.cancel(reason).catch(noop);
  const { signal } = req;
  signal.addEventListener("abort", () => cancel(signal.reason));
  try {
    if (announced !== undefined) resp.contentSize = announced;
    await resp.echo(first);
    for (;;) {
      let result = await soon(reading);
      if (result === undefined) {
        // The next piece takes its time: revisers should not keep back what there is.
        await resp.flush();
        result = await reading;
      }
      if (result.done) break;
      await resp.echo(pieceOf(result));
      reading = reader.read();
    }
    resp.end();
  } catch (error) {
    cancel(error);
    if (!resp.isDone) resp.abort();
    throw error;
  }
}

/** What a promise gives if it does so within a few microtasks: the bodies that are there already do. */
async function soon<T>(promise: Promise<T>): Promise<T | undefined> {
  let state: "pending" | "settled" = "pending";
  const settle = () => {
    state = "settled";
  };
  promise.then(settle, settle);
  for (let turn = 0; turn < patience; turn++) {
    await Promise.resolve();
    if (isSettled(state)) return promise;
  }
  return undefined;
}

/** The state changes behind the compiler's back, while it is awaited. */
function isSettled(state: "pending" | "settled"): boolean {
  return state === "settled";
}

function pieceOf({ value }: Reading): string | Uint8Array {
  if (value instanceof Uint8Array || typeof value === "string") return value;
  throw new TypeError(`the body of a Response holds bytes, not ${typeof value}`);
}

/** In microtasks. A body of text needs 3 for its end. */
const patience = 8;

function noop(): undefined {}
