// A door whose messages travel in envelopes, any number in both directions: gRPC, gRPC-Web, and the streams of Connect.

import { isPromiseLike } from "@hemi/common";
import { RpcError, compressedFlag, envelope, EnvelopeReader, type MessageCodec } from "@hemi/common/rpc";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";
import type { Call } from "../call.ts";
import { codingAccepted, codingNamed, type MessageCoding } from "../message-codings.ts";
import type { RpcSettings } from "../rpc-props.ts";
import type { ServedProcedure } from "../served-bundlet.ts";
import { HttpDoor } from "./http-door.ts";
import { MessageBatch } from "./message-batch.ts";

/** The names of the fields that tell how messages are compressed. */
export interface CodingFields {
  readonly coding: string;
  readonly accepted: string;
}

export abstract class EnvelopedDoor extends HttpDoor {
  readonly #codingFields: CodingFields;
  #reader: EnvelopeReader | undefined;
  #isContentRead = false;
  /** Gives the memory of the last piece back, once it is cut. */
  #giveBack: (() => void) | undefined;
  #lentMemory: ArrayBufferLike | undefined;
  /** Of the client's messages. */
  #coding: MessageCoding | undefined;
  /** What a stream sends behind its first message. */
  #batch: MessageBatch | undefined;
  /** Of ours. */
  protected ownCoding: MessageCoding | undefined;

  constructor(req: Request, resp: Response, settings: RpcSettings, codec: MessageCodec, codingFields: CodingFields) {
    super(req, resp, settings, codec);
    this.#codingFields = codingFields;
  }

  /** Sends the head, unless it is sent. */
  protected abstract begin(call: Call): void;

  override takes(): boolean {
    return true;
  }

  override serve(served: ServedProcedure): void {
    super.serve(served);
    this.#coding = codingNamed(this.req.header(this.#codingFields.coding));
    if (this.settings.compress) this.ownCoding = codingAccepted(this.req.header(this.#codingFields.accepted));
    this.#reader = new EnvelopeReader(this.maxMessageSize);
    // The deadline of the call is the limit, in both directions.
    this.resp.limitHandling(Infinity);
    if (served.procedure.kind !== "unary") this.req.content.limitWait(Infinity);
  }

  // ---- in ----

  override receive(): unknown {
    const reader = this.#reader;
    while (reader !== undefined) {
      const next = reader.take();
      if (next !== undefined) return this.#opened(next.flags, this.#kept(next.bytes));
      this.#giveBack?.();
      this.#giveBack = undefined;
      if (this.#isContentRead) break;
      const piece = this.nextPiece();
      if (isPromiseLike(piece)) {
        return piece.then((piece) => {
          this.#take(piece);
          return this.receive();
        });
      }
      this.#take(piece);
    }
    if (reader?.isBetween === false) {
      throw new RpcError("invalid_argument", "the request ended in the middle of a message");
    }
    return undefined;
  }

  /** The next piece of content; `undefined` at its end. */
  protected nextPiece(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    return this.req.content.next();
  }

  #take(piece: Uint8Array | undefined): void {
    if (piece === undefined) {
      this.#isContentRead = true;
      return;
    }
    this.#giveBack = this.req.content.lent(piece);
    this.#lentMemory = this.#giveBack && piece.buffer;
    this.#reader?.push(piece);
  }

  /** A message that may be kept: other content is read into memory that is given back. */
  #kept(bytes: Uint8Array): Uint8Array {
    return bytes.buffer === this.#lentMemory ? new Uint8Array(bytes) : bytes;
  }

  #opened(flags: number, bytes: Uint8Array): unknown {
    if (flags === 0) return this.decode(bytes);
    if (flags !== compressedFlag) throw new RpcError("invalid_argument", `a message has the unknown flags ${flags}`);
    if (this.#coding === undefined) {
      throw new RpcError(
        "internal",
        `a message is compressed, but the field ${this.#codingFields.coding} names no coding`,
      );
    }
    return this.#coding.decompress(bytes, this.maxMessageSize).then((bytes) => this.decode(bytes));
  }

  // ---- out ----

  override send(message: unknown, call: Call): void | Promise<void> {
    const checked = this.check(message);
    return isPromiseLike(checked)
      ? Promise.resolve(checked).then((message) => this.#sendChecked(message, call))
      : this.#sendChecked(checked, call);
  }

  #sendChecked(message: unknown, call: Call): void | Promise<void> {
    const shared = this.encodeShared(message);
    const bytes = shared ?? this.encode(message);
    // The call may have ended while the message was checked.
    if (this.resp.isDone) return;
    this.begin(call);
    const coding = this.ownCoding;
    if (coding === undefined || bytes.length < this.settings.minCompressedSize) return this.sendEnvelope(0, bytes);
    return coding.compress(shared === undefined ? bytes : new Uint8Array(bytes)).then((bytes) => {
      if (!this.resp.isDone) return this.sendEnvelope(compressedFlag, bytes);
    });
  }

  /** Copies the bytes before it returns. */
  protected sendEnvelope(flags: number, bytes: Uint8Array): void | Promise<void> {
    // The first one sends the head, and most calls have no other.
    if (!this.resp.isHeadSent) return this.resp.echo(envelope(flags, bytes));
    this.#batch ??= new MessageBatch((piece, done) => {
      if (!this.resp.isDone) return this.resp.echo(piece, done);
    });
    return this.#batch.add(flags, bytes);
  }

  /** Sends what was gathered so far: nothing that follows passes it. */
  protected flush(): void {
    this.#batch?.flush();
  }
}
