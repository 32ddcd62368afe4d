// Sends the web-standard Response that a fetch app gave.
//
//   body is there at once (text, JSON, bytes) ──> head and content in one go, with its length
//   body comes in time ──> head at once; pieces as they come, while the client takes them
//          fails ──> before the head: 500; later: the answer is broken off
//          client leaves ──> the stream is cancelled

import { isStatusWithContent, type Request as HemiRequest, type Response as HemiResponse } from "@hemi/internal";
import { contentLengthOf, isFramingName, sendWhole } from "./app-fields.ts";
import { cancelQuietly } from "./cancel-quietly.ts";
import { LightResponse } from "./light-response.ts";

type Reader = ReadableStreamDefaultReader<unknown>;
type Reading = Awaited<ReturnType<Reader["read"]>>;

/**
 * Done when it returns, or when its promise settles: the answer is complete then. Throws or rejects with what the body
 * failed with, or HEMI_PEER_GONE.
 */
export function sendFetchResponse(req: HemiRequest, resp: HemiResponse, response: Response): void | Promise<void> {
  const { status } = response;
  resp.status = status;
  const unread = response instanceof LightResponse ? LightResponse.unreadOf(response) : undefined;
  let announced: number | undefined;
  // A light one that is unread has none.
  if (unread === undefined && response.statusText) resp.reason = response.statusText;
  if (unread === undefined || unread.headers !== undefined) announced = copyFields(response.headers, resp);
  else if (unread.type !== "") resp.setHeader("content-type", unread.type);
  const hasNone = req.method === "HEAD" || !isStatusWithContent(status);
  if (unread !== undefined) {
    return sendWhole(resp, req.method, announced, hasNone ? undefined : (unread.body ?? undefined));
  }
  const { body } = response;
  if (body !== null && !hasNone) return sendBody(req, resp, body.getReader(), announced);
  cancelQuietly(body);
  sendWhole(resp, req.method, announced, undefined);
}

/** Gives what they say of the content's length, in bytes. */
function copyFields(headers: Headers, resp: HemiResponse): number | undefined {
  let announced: number | undefined;
  for (const [written, value] of headers) {
    // Names of a Response that is not the web's own come as its app wrote them.
    const name = written.toLowerCase();
    if (name === "set-cookie") resp.addHeader(name, value);
    else if (name === "upgrade") resp.upgrade = value;
    else if (!isFramingName(name)) resp.setHeader(name, value);
    else if (name === "content-length") announced = contentLengthOf(value);
  }
  return announced;
}

async function sendBody(
  req: HemiRequest,
  resp: HemiResponse,
  reader: Reader,
  announced: number | undefined,
): Promise<void> {
  let reading = reader.read();
  const first = await soon(reading);
  if (first === undefined) return sendStream(req, resp, reader, announced, "", reading);
  if (first.done) return sendWhole(resp, req.method, announced, undefined);
  // Before the next piece is asked for: what that fails with would be nobody's.
  const piece = pieceOf(first, reader);
  reading = reader.read();
  const second = await soon(reading).catch(noop);
  if (second?.done === true) return sendWhole(resp, req.method, announced, piece);
  return sendStream(req, resp, reader, announced, piece, reading);
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
  const { signal } = req;
  signal.addEventListener("abort", () => cancelQuietly(reader, signal.reason));
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
      await resp.echo(pieceOf(result, reader));
      reading = reader.read();
    }
    resp.end();
  } catch (error) {
    cancelQuietly(reader, error);
    if (!resp.isDone) resp.abort();
    throw error;
  }
}

/** What a promise gives if it does so within a few microtasks: the bodies that are there already do. */
async function soon<T extends object>(promise: Promise<T>): Promise<T | undefined> {
  const outcome: { value?: T; failure?: Promise<T> } = {};
  promise.then(
    (value) => {
      outcome.value = value;
    },
    () => {
      outcome.failure = promise;
    },
  );
  for (let turn = 0; turn < patience; turn++) {
    await settled;
    if (outcome.value !== undefined) return outcome.value;
    if (outcome.failure !== undefined) return outcome.failure;
  }
  return undefined;
}

/** Cancels the body, and throws, for what cannot be sent. */
function pieceOf({ value }: Reading, reader: Reader): string | Uint8Array {
  if (value instanceof Uint8Array || typeof value === "string") return value;
  const error = new TypeError(`the body of a Response holds bytes, not ${typeof value}`);
  cancelQuietly(reader, error);
  throw error;
}

const settled = Promise.resolve();

/** In microtasks. A body of text needs 3 for its end. */
const patience = 8;

function noop(): undefined {}
