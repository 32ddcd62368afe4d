// The response that a (req, res) app gets: the ServerResponse of Node.js, whose head and content go to ours.
//
// The book-keeping of fields is that of Node.js. What would write to a socket is done here, by the rules of its
// documentation:
//
//   open ── writeHead ──> head final ── write, flushHeaders ──> streaming ── end ──> ended ── all taken ──> finish ──> close
//                             └────── end: head and content in one go ────────────────┘
//   destroy, or the client leaves ────────────────────────────────────────────────────────────────────> close
//
// What is called after that keeps the books and sends nothing: apps call from timers, where nobody would catch what is
// thrown.
//
// A test runs the same programs here and on a server of Node.js, and compares what they see.
//
// Express gives requests and responses prototypes of its own. So what is done here otherwise than in Node.js stands on
// the object itself as well as on the prototype.

import { ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { ExchanError, isStatusWithContent, type Response as HemiResponse } from "@hemi/internal";
import { sendWhole } from "./app-fields.ts";
import { type FailureOwner, guardListeners, reasonPhrase } from "@hemi/common";
import { alreadyFinished, headSent, nodeError, streamDestroyed, writeAfterEnd } from "./node-errors.ts";
import { copyFields, interimFields, setWrittenFields, type WrittenFields } from "./node-fields.ts";
import type { NodeRequest } from "./node-request.ts";
import type { NodeSocket } from "./node-socket.ts";

export interface ResponseOwner extends FailureOwner {
  readonly socket: NodeSocket;
  /** The answer cannot go on. */
  breakOff(): void;
  /** Content was handed on. */
  progressed(): void;
  /** All of the answer was handed on. */
  finished(): void;
  /** "close" was emitted. */
  closed(): void;
  /** Nobody listens for this error. */
  noteError(error: unknown): void;
}

type Callback = (error?: Error | null) => void;

/** Set on each response: see above. */
const ownNames = [
  "addTrailers",
  "end",
  "flushHeaders",
  "write",
  "writeContinue",
  "writeEarlyHints",
  "writeHead",
  "writeInformation",
  "writeProcessing",
] as const;

export class NodeResponse extends ServerResponse<NodeRequest> {
  /** Not `null`: the head is final. Libraries look at it, and so does the book-keeping of fields. */
  declare _header: string | null;
  /** By this `node:stream` knows that a response is closed. */
  declare _closed: boolean;
  // These three stand before accessors of Node.js, which know nothing of what is sent here.
  override writableFinished = false;
  override writableLength = 0;
  override writableNeedDrain = false;
  readonly #resp: HemiResponse;
  readonly #owner: ResponseOwner;
  readonly #method: string;
  /** What `content-length` said, in bytes. */
  #announced: number | undefined;
  #trailers: readonly (readonly [name: string, value: string])[] = [];
  /** Writes that the client has not taken. */
  #waits = 0;
  #isEnded = false;
  #endCallbacks: Callback[] = [];

  constructor(req: NodeRequest, method: string, resp: HemiResponse, owner: ResponseOwner) {
    super(req);
    this.#resp = resp;
    this.#owner = owner;
    this.#method = method;
    guardListeners(this, owner);
    setSocket(this, owner.socket);
    this.addTrailers = own.addTrailers;
    this.end = own.end;
    this.flushHeaders = own.flushHeaders;
    this.write = own.write;
    this.writeContinue = own.writeContinue;
    this.writeEarlyHints = own.writeEarlyHints;
    this.writeHead = own.writeHead;
    this.writeInformation = own.writeInformation;
    this.writeProcessing = own.writeProcessing;
  }

  // ---- the head ----

  override writeHead(status: number, reason?: string | WrittenFields, fields?: WrittenFields): this {
    if (this._header !== null) throw headSent("write");
    const code = Math.trunc(status);
    if (!(code >= 200 && code <= 999)) {
      const hint = code >= 100 && code <= 199 ? ": interim answers are sent by writeInformation" : "";
      throw nodeError("ERR_HTTP_INVALID_STATUS_CODE", `Invalid status code: ${status}${hint}`, RangeError);
    }
    const isReason = typeof reason === "string";
    if (isReason) this.statusMessage = reason;
    else this.statusMessage ||= STATUS_CODES[code] ?? "unknown";
    this.statusCode = code;
    if (/[^\t\x20-\x7e\x80-\xff]/.test(this.statusMessage)) {
      throw nodeError("ERR_INVALID_CHAR", "Invalid character in statusMessage", TypeError);
    }
    const written = fields ?? (isReason ? undefined : reason);
    if (written !== undefined) setWrittenFields(this, written);
    // Somebody else may answer by now, or nobody.
    if (!this.destroyed) {
      this.#resp.status = code;
      if (this.statusMessage !== reasonPhrase(code)) this.#resp.reason = this.statusMessage;
      this.#announced = copyFields(this, this.#resp);
    }
    this._header = `HTTP/1.1 ${code} ${this.statusMessage}\r\n\r\n`;
    return this;
  }

  override flushHeaders(): void {
    if (this._header === null) this.writeHead(this.statusCode);
    if (this.destroyed || this.#resp.isHeadSent) return;
    try {
      void this.#beginStreaming("");
    } catch (error) {
      this.#broken(error);
    }
  }

  override writeContinue(callback?: () => void): void {
    this.writeInformation(100, undefined, callback);
  }

  override writeProcessing(callback?: () => void): void {
    this.writeInformation(102, undefined, callback);
  }

  override writeEarlyHints(hints: Record<string, string | string[]>, callback?: () => void): void {
    const link = hints["link"];
    if (link !== undefined && link.length > 0) this.writeInformation(103, hints, callback);
  }

  override writeInformation(status: number, fields?: WrittenFields | (() => void) | null, callback?: () => void): void {
    if (typeof fields === "function") return this.writeInformation(status, undefined, fields);
    if (this._header !== null) throw headSent("write");
    if (!(status >= 100 && status <= 199) || status === 101) {
      throw nodeError("ERR_HTTP_INVALID_STATUS_CODE", `Invalid status code: ${status}`, RangeError);
    }
    if (this.destroyed) return;
    this.#resp.interim(status, fields === undefined || fields === null ? {} : interimFields(fields));
    if (callback !== undefined) process.nextTick(callBack, this, callback);
  }

  // ---- the content ----

  override write(chunk: unknown, encoding?: BufferEncoding | Callback | null, callback?: Callback): boolean {
    if (typeof encoding === "function") return this.write(chunk, undefined, encoding);
    const piece = pieceOf(chunk, encoding);
    if (this.#isEnded || this.destroyed) {
      this.#refuse(this.#isEnded ? writeAfterEnd() : streamDestroyed("write"), callback);
      return false;
    }
    if (this._header === null) this.writeHead(this.statusCode);
    if (this.#method === "HEAD" || !isStatusWithContent(this.statusCode)) {
      if (callback) process.nextTick(callBack, this, callback);
      return true;
    }
    return this.#send(piece, callback);
  }

  override end(chunk?: unknown, encoding?: BufferEncoding | Callback | null, callback?: Callback): this {
    if (typeof chunk === "function") return this.end(undefined, undefined, chunk as Callback);
    if (typeof encoding === "function") return this.end(chunk, undefined, encoding);
    const isEmpty = chunk === undefined || chunk === null || chunk === "";
    const piece = isEmpty ? undefined : pieceOf(chunk, encoding);
    if (this.#isEnded) {
      if (piece !== undefined) this.#refuse(writeAfterEnd(), callback);
      else if (callback) this.#onceEnded(callback);
      return this;
    }
    if (this.destroyed) {
      this.#setEnded();
      if (callback) process.nextTick(callBack, this, callback, streamDestroyed("end"));
      return this;
    }
    if (this._header === null) this.writeHead(this.statusCode);
    if (callback) this.#onceEnded(callback);
    this.#setEnded();
    try {
      this.#sendEnd(piece);
    } catch (error) {
      this.#broken(error);
      return this;
    }
    this.emit("prefinish");
    if (this.#waits === 0) process.nextTick(finish, this);
    return this;
  }

  override addTrailers(trailers: Parameters<ServerResponse["addTrailers"]>[0]): void {
    // Node.js checks them; what it makes of them is a piece of the chunked coding, of which we know nothing.
    super.addTrailers(trailers);
    const pairs: Iterable<readonly [string, unknown]> = Array.isArray(trailers) ? trailers : Object.entries(trailers);
    this.#trailers = Array.from(pairs, ([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : String(value),
    ]);
  }

  // ---- early ends, and waits ----

  /** For the owner: the app has destroyed it, the client has left, or somebody else answers. */
  static giveUp(this: void, res: NodeResponse): void {
    res.destroyed = true;
    res.writableNeedDrain = false;
    process.nextTick(close, res);
  }

  /** Calls what the app has handed in: nobody else would catch what it throws. */
  static callBack(this: void, res: NodeResponse, callback: Callback, error?: Error | null): void {
    try {
      callback(error);
    } catch (thrown) {
      res.#owner.fail(thrown);
    }
  }

  /** For `finish` and `close`, which the event loop calls without a closure. */
  static finish(this: void, res: NodeResponse): void {
    if (res.destroyed) return;
    res.writableFinished = true;
    res.#callEnded(null);
    res.emit("finish");
    res.#owner.finished();
    setSocket(res, null);
    process.nextTick(close, res);
  }

  static close(this: void, res: NodeResponse): void {
    if (res._closed) return;
    res.destroyed = true;
    res._closed = true;
    if (res.#endCallbacks.length > 0) res.#callEnded(res.errored ?? streamDestroyed("end"));
    res.emit("close");
    res.#owner.closed();
  }

  #setEnded(): void {
    this.#isEnded = true;
    this.writableNeedDrain = false;
    setFinished(this);
  }

  #sendEnd(piece: string | Uint8Array | undefined): void {
    const resp = this.#resp;
    const hasTrailers = this.#trailers.length > 0 && this.#announced === undefined;
    if (!resp.isHeadSent && !hasTrailers) return sendWhole(resp, this.#method, this.#announced, piece);
    if (piece !== undefined) this.#send(piece, undefined);
    if (this.destroyed) return;
    if (hasTrailers) for (const [name, value] of this.#trailers) resp.setTrailer(name, value);
    resp.end();
  }

  /** False: the client is slow, "drain" follows. */
  #send(piece: string | Uint8Array, callback: Callback | undefined): boolean {
    let taken: void | Promise<void>;
    try {
      taken = this.#beginStreaming(piece);
    } catch (error) {
      this.#broken(error, callback);
      return false;
    }
    this.#owner.progressed();
    if (taken === undefined) {
      if (callback) process.nextTick(callBack, this, callback);
      return this.#waits === 0;
    }
    const { length } = piece;
    this.#waits++;
    this.writableLength += length;
    if (!this.#isEnded) this.writableNeedDrain = true;
    taken.then(
      () => this.#taken(length, callback),
      (error: unknown) => {
        // A filter that failed stands in the log already, and a client that left is nobody's fault.
        if (callback) process.nextTick(callBack, this, callback, error);
        this.destroy(error instanceof Error ? error : undefined);
      },
    );
    return false;
  }

  #beginStreaming(piece: string | Uint8Array): void | Promise<void> {
    if (!this.#resp.isHeadSent && this.#announced !== undefined) this.#resp.contentSize = this.#announced;
    return this.#resp.echo(piece);
  }

  #taken(length: number, callback: Callback | undefined): void {
    this.#waits--;
    this.writableLength -= length;
    if (callback) callBack(this, callback, null);
    if (this.#waits > 0) return;
    if (this.#isEnded) finish(this);
    else if (this.writableNeedDrain) {
      this.writableNeedDrain = false;
      this.emit("drain");
    }
  }

  /** What the app sent is not what it announced, or a reviser failed at the head: the answer cannot go on. */
  #broken(error: unknown, callback?: Callback): void {
    const isGone = error instanceof ExchanError && error.code === "HEMI_PEER_GONE";
    if (!isGone) this.#owner.noteError(error);
    if (callback) process.nextTick(callBack, this, callback, error);
    this.destroy(error instanceof Error ? error : undefined);
  }

  #refuse(error: Error, callback: Callback | undefined): void {
    process.nextTick(() => {
      if (callback) callBack(this, callback, error);
      if (this.destroyed) return;
      // Without a listener Node.js would end the process. That an app writes too much is no reason for it.
      if (this.listenerCount("error") > 0) this.emit("error", error);
      else this.#owner.noteError(error);
    });
  }

  #onceEnded(callback: Callback): void {
    if (this.writableFinished) callback(alreadyFinished("end"));
    else this.#endCallbacks.push(callback);
  }

  #callEnded(error: Error | null): void {
    const callbacks = this.#endCallbacks;
    if (callbacks.length === 0) return;
    this.#endCallbacks = [];
    for (const callback of callbacks) callBack(this, callback, error);
  }
}

const { callBack, finish, close } = NodeResponse;

/** The methods of that class, to be set on its objects. What those return that return the object is for it to say. */
const own = Object.fromEntries(ownNames.map((name) => [name, Reflect.get(NodeResponse.prototype, name)])) as {
  readonly [Name in (typeof ownNames)[number]]: NodeResponse[Name] extends (...args: infer Args) => NodeResponse
    ? (...args: Args) => never
    : NodeResponse[Name];
};

/** The types of Node.js have it that only its own code does this. */
function setSocket(res: { socket: Socket | null }, socket: Socket | null): void {
  res.socket = socket;
}

/** What `writableEnded` gives. The types of Node.js have it that it has fallen out of use. */
function setFinished(res: { finished: boolean }): void {
  res.finished = true;
}

/** Text of UTF-8 stays text. Throws as Node.js does for what is neither text nor bytes. */
function pieceOf(chunk: unknown, encoding: BufferEncoding | null | undefined): string | Uint8Array {
  if (typeof chunk === "string") return isUTF8(encoding) ? chunk : Buffer.from(chunk, encoding);
  if (chunk instanceof Uint8Array) return chunk;
  if (chunk === null) throw nodeError("ERR_STREAM_NULL_VALUES", "May not write null values to stream", TypeError);
  throw nodeError(
    "ERR_INVALID_ARG_TYPE",
    `The "chunk" argument must be of type string or an instance of Buffer or Uint8Array. Received type ${typeof chunk}`,
    TypeError,
  );
}

function isUTF8(encoding: BufferEncoding | null | undefined): encoding is "utf8" | "utf-8" | null | undefined {
  return encoding === undefined || encoding === null || encoding === "utf8" || encoding === "utf-8";
}
