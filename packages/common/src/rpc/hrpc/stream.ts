// One call on a session, from either end.
//
//   caller                                callee
//     CALL, MESSAGE …, CLOSE  ──────>       the last MESSAGE may close, too
//       <──────  HEADERS, MESSAGE …, END    END is the end for both
//     CANCEL                  ──────>       at any time; nothing of it is sent after that

import { isPromiseLike } from "../../guarded.ts";
import { asRpcError } from "../call-limits.ts";
import type { Metadata } from "../metadata.ts";
import { RpcError } from "../rpc-error.ts";
import { frame, frameFlags, frameTypes, goAwayCodes, numberFrame, ProtocolFault } from "./frames.ts";
import { Inbox, type FailureReason, type ReceivedMessage } from "./inbox.ts";
import type { MessageCompression } from "./message-coding.ts";
import { Outbox, type FrameSink } from "./outbox.ts";
import { headersFrame, maxMetadata, type CallEnd, type CallHead } from "./payloads.ts";

/** What a stream asks of its session. */
export interface StreamSession extends FrameSink {
  readonly compression: MessageCompression;
  /** The compressions that the peer takes. */
  readonly peerCodings: number;
  /** What the peer has of credit at the beginning of a stream, in bytes. */
  readonly credit: number;
  /** What we have of it. */
  readonly peerCredit: number;
  /** A frame of metadata, if the peer takes one of this size; false: it does not. */
  writeWhole(bytes: Uint8Array): boolean;
  writeEnd(streamId: number, end: CallEnd, isBegun: boolean): void;
  /** The stream is over. */
  forget(streamId: number): void;
}

abstract class Stream {
  readonly id: number;
  protected readonly session: StreamSession;
  protected readonly outbox: Outbox;
  protected readonly inbox: Inbox;
  readonly #maxMessageSize: number;
  #isOver = false;
  /** No more messages come. */
  #isClosed = false;

  /** `maxMessageSize`: of the peer's messages, in bytes, before and after decompression. */
  constructor(id: number, session: StreamSession, maxMessageSize: number) {
    this.id = id;
    this.session = session;
    this.#maxMessageSize = maxMessageSize;
    this.outbox = new Outbox(id, session, session.peerCredit);
    this.inbox = new Inbox({
      credit: session.credit,
      maxMessageSize,
      grant: (amount) => {
        if (!this.#isOver) session.write(numberFrame(frameTypes.credit, id, amount));
      },
    });
  }

  /** Nothing is sent and nothing taken any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The next message of the peer, `undefined` at their end. Throws or rejects with RpcError. One call at a time. */
  receive(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const next = this.inbox.next();
    return isPromiseLike(next) ? next.then((message) => this.opened(message)) : this.opened(next);
  }

  protected opened(message: ReceivedMessage | undefined): Uint8Array | undefined | Promise<Uint8Array> {
    if (message === undefined || message.coding === 0) return message?.bytes;
    return this.session.compression.decompress(message, this.#maxMessageSize);
  }

  /** Sends a message; see `Outbox.send`. */
  send(message: Uint8Array, flags = 0): void | Promise<void> {
    const { compression, peerCodings } = this.session;
    const compressed = peerCodings === 0 ? undefined : compression.compress(message, peerCodings);
    if (compressed === undefined) return this.outbox.send(message, flags);
    return compressed.then(({ bytes, coding }) => this.outbox.send(bytes, flags | coding));
  }

  // ---- called by the session ----

  /** The peer has sent a MESSAGE. Throws ProtocolFault. */
  gotMessage(payload: Uint8Array, flags: number): void {
    if (this.#isClosed) throw new ProtocolFault(goAwayCodes.protocol, "a message comes after the last one");
    this.inbox.push(payload, flags);
    if ((flags & (frameFlags.last | frameFlags.more)) === frameFlags.last) this.closed();
  }

  /** No more messages come. Throws ProtocolFault. */
  closed(): void {
    if (this.#isClosed) throw new ProtocolFault(goAwayCodes.protocol, "a stream is closed twice");
    this.inbox.end();
    this.#isClosed = true;
  }

  /** The peer takes more bytes. Throws ProtocolFault. */
  gotCredit(amount: number): void {
    this.outbox.grant(amount);
  }

  /** Messages that have come are still to be read if `failure` is `undefined`. */
  protected over(failure: FailureReason | undefined, waiting: FailureReason): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.outbox.fail(waiting);
    if (failure !== undefined) this.inbox.fail(failure);
    this.session.forget(this.id);
  }
}

/** A call of the peer, which we answer. */
export class CalledStream extends Stream {
  readonly head: CallHead;
  /** The peer does not want the answer any more, or is gone. Set by whoever serves the call. */
  onCancel: () => void = ignore;

  constructor(id: number, session: StreamSession, maxMessageSize: number, head: CallHead) {
    super(id, session, maxMessageSize);
    this.head = head;
  }

  /** Metadata before the messages. */
  sendHeaders(metadata: Metadata): void {
    if (this.isOver || metadata.list.length > 2 * maxMetadata) return;
    this.session.writeWhole(headersFrame(this.id, metadata));
  }

  /** Ends the call. `isBegun`: whether it may have had an effect. */
  finish(end: CallEnd, isBegun = true): void {
    if (this.isOver) return;
    this.session.writeEnd(this.id, end, isBegun);
    this.over(ended, ended);
  }

  /** The peer has sent CANCEL, or is gone. */
  canceled(): void {
    if (this.isOver) return;
    this.over(canceled, canceled);
    this.onCancel();
  }
}

/** A call of ours, which the peer answers. */
export class CallingStream extends Stream {
  readonly #headersCame: (headers: Metadata) => void;
  #hasHeaders = false;
  #end: CallEnd | undefined;
  #done: ((error: RpcError | undefined, message: Uint8Array | Promise<Uint8Array>) => void) | undefined;

  constructor(id: number, session: StreamSession, maxMessageSize: number, headersCame: (headers: Metadata) => void) {
    super(id, session, maxMessageSize);
    this.#headersCame = headersCame;
  }

  /**
   * For a call that is answered by one message: calls back once, when the call is over, with the message or with why
   * there is none. Instead of `receive`.
   */
  receiveOne(done: (error: RpcError | undefined, message: Uint8Array | Promise<Uint8Array>) => void): void {
    this.inbox.takeOne();
    this.#done = done;
  }

  /** How the call has ended, after the last message; `undefined` while it has not. */
  get end(): CallEnd | undefined {
    return this.#end;
  }

  /** No more messages of ours. */
  close(): void {
    if (!this.isOver) this.session.write(frame(frameTypes.close, 0, this.id, noBytes));
  }

  /** Gives the call up. Harmless once it is over. */
  cancel(reason: RpcError): void {
    if (this.isOver) return;
    this.session.write(frame(frameTypes.cancel, 0, this.id, noBytes));
    this.over(
      () => reason,
      () => reason,
    );
  }

  override gotMessage(payload: Uint8Array, flags: number): void {
    super.gotMessage(payload, flags);
    const { failure } = this.inbox;
    // Nobody reads, who would hear of it.
    if (failure !== undefined && this.#done !== undefined) this.cancel(failure());
  }

  protected override over(reason: FailureReason | undefined, waiting: FailureReason): void {
    const done = this.#done;
    this.#done = undefined;
    super.over(reason, waiting);
    if (done === undefined) return;
    const failure = reason?.() ?? this.#end?.error;
    if (failure !== undefined) return done(failure, noBytes);
    const message = this.opened(this.inbox.takeOnly());
    if (message === undefined) done(new RpcError("unimplemented", "the answer has 0 messages instead of one"), noBytes);
    else done(undefined, message);
  }

  /** The peer has sent HEADERS. Throws ProtocolFault. */
  gotHeaders(headers: Metadata): void {
    if (this.#hasHeaders) throw new ProtocolFault(goAwayCodes.protocol, "a call has headers twice");
    this.#hasHeaders = true;
    try {
      this.#headersCame(headers);
    } catch (error) {
      // The caller's mistake: its call ends, and the session goes on.
      this.cancel(asRpcError(error));
    }
  }

  /** The peer has sent END. Throws ProtocolFault. */
  gotEnd(end: CallEnd): void {
    this.closed();
    this.#end = end;
    this.over(undefined, () => end.error ?? ended());
  }

  /** The connection is over before the call was. */
  broken(error: RpcError): void {
    this.over(
      () => error,
      () => error,
    );
  }
}

const noBytes = new Uint8Array();

function ignore(): void {}

function canceled(): RpcError {
  return new RpcError("canceled", "the caller does not want the answer any more");
}

/** For whoever still sends: the callee has seen enough. */
function ended(): RpcError {
  return new RpcError("canceled", "the call is over");
}
