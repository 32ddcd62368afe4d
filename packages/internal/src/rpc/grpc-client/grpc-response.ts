// The answer of a gRPC server as it comes from a backend: its messages are kept until they are asked for, and its node
// is told to wait when there are many.

import { compressedFlag, EnvelopeReader, Metadata, RpcError, type Envelope } from "@hemi/common/rpc";
import type { BackendFailure } from "../../backend/failure.ts";
import { noFields, type Fields } from "../../http/fields.ts";
import type { NodeResponseHead, ResponseHandler } from "../../http/web-backend.ts";
import { codingNamed, type MessageCoding } from "../message-codings.ts";
import { errorOfFields } from "./grpc-status.ts";

export class GrpcResponse implements ResponseHandler {
  readonly #maxMessageSize: number;
  readonly #reader: EnvelopeReader;
  #head: NodeResponseHead | undefined;
  #coding: MessageCoding | undefined;
  #trailers: Fields | undefined;
  #error: RpcError | undefined;
  #isOver = false;
  /** In bytes, what has come and is not read. */
  #unread = 0;
  #came = Promise.withResolvers<void>();
  /** Those that have come. The first `#read` are read: to take each out would copy all others, if there are many. */
  #messages: Envelope[] = [];
  #read = 0;
  /** For an answer of one message: called at the end. */
  #done: (() => void) | undefined;
  /** Asks the node for more. Set by whoever has begun the exchange. */
  resume: () => void = () => undefined;

  /** `maxMessageSize`: in bytes, before and after decompression. */
  constructor(maxMessageSize: number) {
    this.#maxMessageSize = maxMessageSize;
    this.#reader = new EnvelopeReader(maxMessageSize);
  }

  /** The metadata before the messages; `undefined` until it has come. */
  get headers(): Metadata | undefined {
    return this.#head === undefined ? undefined : Metadata.received(this.#head.fields);
  }

  /** The metadata after the messages. */
  get trailers(): Metadata {
    return this.#trailers === undefined ? new Metadata() : Metadata.received(this.#trailers);
  }

  /** The next message, `undefined` at the end of a call that went well. Rejects with RpcError. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const envelope = this.#take();
      if (envelope !== undefined) return await this.#opened(envelope);
      if (this.#isOver) break;
      this.#came = Promise.withResolvers<void>();
      if (this.#unread > 0) this.#resume();
      await this.#came.promise;
    }
    if (this.#error !== undefined) throw this.#error;
    if (!this.#reader.isBetween) throw new RpcError("internal", "the answer ended in the middle of a message");
    return undefined;
  }

  /** For an answer of one message: calls back once, when it is over. `only` has it then. Instead of `next`. */
  receiveOne(done: () => void): void {
    this.#done = done;
  }

  /** Throws RpcError if there is not exactly one message. */
  only(): Uint8Array | Promise<Uint8Array> {
    if (this.#error !== undefined) throw this.#error;
    if (!this.#reader.isBetween) throw new RpcError("internal", "the answer ended in the middle of a message");
    const [only] = this.#messages;
    if (only === undefined) throw new RpcError("unimplemented", "the answer has 0 messages instead of one");
    return this.#opened(only);
  }

  /** The caller gives it up. */
  fail(error: RpcError): void {
    this.#end(error);
  }

  #take(): Envelope | undefined {
    const envelope = this.#messages[this.#read];
    if (envelope === undefined) return undefined;
    if (++this.#read === this.#messages.length) {
      this.#messages = [];
      this.#read = 0;
      this.#resume();
    }
    return envelope;
  }

  #resume(): void {
    this.#unread = 0;
    this.resume();
  }

  #opened({ flags, bytes }: Envelope): Uint8Array | Promise<Uint8Array> {
    if (flags === 0) return bytes;
    if (flags !== compressedFlag) throw new RpcError("internal", `a message has the unknown flags ${flags}`);
    if (this.#coding === undefined) throw new RpcError("internal", "a message is compressed, but no coding is named");
    return this.#coding.decompress(bytes, this.#maxMessageSize);
  }

  #end(error: RpcError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    this.#came.resolve();
    this.#done?.();
  }

  #cut(piece: Uint8Array): void {
    try {
      this.#reader.push(piece);
      for (let next = this.#reader.take(); next !== undefined; next = this.#reader.take()) this.#messages.push(next);
      if (this.#done !== undefined && this.#messages.length > 1) {
        throw new RpcError("unimplemented", "the answer has several messages");
      }
    } catch (error) {
      this.#end(error instanceof RpcError ? error : new RpcError("internal"));
    }
  }

  // ---- called by the backend ----

  interim(): void {}

  answered(head: NodeResponseHead, whole: Uint8Array | undefined): void {
    this.#head = head;
    const { fields, status } = head;
    const type = fields.get("content-type") ?? "";
    // Without content, the status is in the head (Trailers-Only).
    if (fields.has("grpc-status")) this.#trailers = fields;
    if (status !== 200 || !type.startsWith("application/grpc")) {
      return this.#end(errorOfFields(fields, status) ?? new RpcError("unknown", `the answer is no gRPC but ${type}`));
    }
    try {
      this.#coding = codingNamed(fields.get("grpc-encoding"));
    } catch (error) {
      return this.#end(error instanceof RpcError ? error : new RpcError("internal"));
    }
    if (whole === undefined) return;
    this.content(whole);
    this.ended(noFields);
  }

  content(piece: Uint8Array): boolean {
    const before = this.#messages.length;
    this.#cut(piece);
    // The size of one message is limited: the node need not wait for its reader.
    if (this.#done !== undefined) return true;
    this.#unread += piece.length + messageCost * (this.#messages.length - before);
    this.#came.resolve();
    return this.#unread < maxUnread;
  }

  ended(trailers: Fields): void {
    const head = this.#head;
    const isInHead = head?.fields.has("grpc-status") === true;
    const fields = isInHead && !trailers.has("grpc-status") ? head.fields : trailers;
    this.#trailers = fields;
    this.#end(errorOfFields(fields, head?.status ?? 0));
  }

  failed(failure: BackendFailure): void {
    const code = failure.code === "HEMI_TIMEOUT" ? "deadline_exceeded" : "unavailable";
    this.#end(new RpcError(code, failure.message, { cause: failure }));
  }
}

/** In bytes, what a message takes beside its own: empty ones need memory, too. */
const messageCost = 64;
/** In bytes. Not a prop: what a slow reader keeps in memory of each call. */
const maxUnread = 256 * 1024;
