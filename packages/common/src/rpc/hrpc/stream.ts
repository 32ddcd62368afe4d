// One call on a session, as both ends have it.
//
//   caller                                callee
//     CALL, MESSAGE …, CLOSE  ──────>       the last MESSAGE may close, too; the only one may stand in the CALL
//       <──────  HEADERS, MESSAGE …, END    END is the end for both, as is a MESSAGE that is marked as the last one
//     CANCEL                  ──────>       at any time; nothing of it is sent after that

import { encoder } from "../bytes.ts";
import { isPromiseLike } from "../../guarded.ts";
import type { SentMessage } from "./frame-output.ts";
import { frameFlags, frameTypes, numberFrame, ProtocolFault } from "./frames.ts";
import { Inbox, type FailureReason, type InboxOptions, type ReceivedMessage } from "./inbox.ts";
import { Outbox } from "./outbox.ts";
import type { SessionOutput } from "./session-output.ts";

/** What a stream asks of its session. */
export interface StreamSession {
  readonly output: SessionOutput;
  /** What the peer has of credit at the beginning of a stream, in bytes. */
  readonly credit: number;
  /** The stream is over. */
  forget(streamId: number): void;
}

export abstract class Stream {
  readonly id: number;
  protected readonly session: StreamSession;
  protected readonly maxMessageSize: number;
  /** Both are made when they are needed: most calls have one message each way, which needs neither. */
  #outbox: Outbox | undefined;
  #inbox: Inbox | undefined;
  #isOver = false;
  /** Why nothing is read, or sent, any more. */
  #readFailure: FailureReason | undefined;
  #sendFailure: FailureReason | undefined;
  /** No more messages come. */
  #isClosed = false;

  /** `maxMessageSize`: of the peer's messages, in bytes, before and after decompression. */
  constructor(id: number, session: StreamSession, maxMessageSize: number) {
    this.id = id;
    this.session = session;
    this.maxMessageSize = maxMessageSize;
  }

  /** Nothing is sent and nothing taken any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The next message of the peer, `undefined` at their end. Throws or rejects with RpcError. One call at a time. */
  receive(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    // The usual end of what needed no inbox.
    if (this.#inbox === undefined && this.#isClosed && this.#readFailure === undefined) return undefined;
    const next = this.inbox.next();
    return isPromiseLike(next) ? next.then((message) => this.opened(message)) : this.opened(next);
  }

  protected opened(message: ReceivedMessage | undefined): Uint8Array | undefined | Promise<Uint8Array> {
    if (message === undefined || message.coding === 0) return message?.bytes;
    return this.session.output.compression.decompress(message, this.maxMessageSize);
  }

  /** Sends a message; see `Outbox.send`. */
  send(message: SentMessage, flags = 0): void | Promise<void> {
    const bytes = typeof message === "string" ? encoder.encode(message) : message;
    const { output } = this.session;
    const isCompressed = output.compresses(message.length);
    const compressed = isCompressed ? output.compression.compress(bytes, output.peer.codings) : undefined;
    if (compressed === undefined) return this.outbox.send(bytes, flags);
    return compressed.then(({ bytes, coding }) => this.outbox.send(bytes, flags | coding));
  }

  protected get outbox(): Outbox {
    if (this.#outbox !== undefined) return this.#outbox;
    const { output } = this.session;
    const outbox = (this.#outbox = new Outbox(this.id, output, output.peer.credit));
    if (this.#sendFailure !== undefined) outbox.fail(this.#sendFailure);
    return outbox;
  }

  protected get inbox(): Inbox {
    if (this.#inbox !== undefined) return this.#inbox;
    const { id, session, maxMessageSize } = this;
    const inbox = (this.#inbox = this.makeInbox({
      credit: session.credit,
      maxMessageSize,
      grant: (amount) => {
        if (!this.#isOver) session.output.write(numberFrame(frameTypes.credit, id, amount));
      },
    }));
    if (this.#readFailure !== undefined) inbox.fail(this.#readFailure);
    if (this.#isClosed) inbox.end();
    return inbox;
  }

  protected makeInbox(options: InboxOptions): Inbox {
    return new Inbox(options);
  }

  /** Whether nothing has come yet, and nobody waits for anything. */
  protected get isUntouched(): boolean {
    return this.#inbox === undefined && !this.#isClosed;
  }

  // ---- called by the session ----

  /** The peer has sent a MESSAGE. Throws ProtocolFault. */
  gotMessage(payload: Uint8Array, flags: number): void {
    if (this.#isClosed) throw new ProtocolFault("a message comes after the last one");
    this.inbox.push(payload, flags);
    if ((flags & (frameFlags.last | frameFlags.more)) === frameFlags.last) this.closed();
  }

  /** No more messages come. Throws ProtocolFault. */
  closed(): void {
    if (this.#isClosed) throw new ProtocolFault("a stream is closed twice");
    this.#inbox?.end();
    this.#isClosed = true;
  }

  /** The peer takes more bytes. Throws ProtocolFault. */
  gotCredit(amount: number): void {
    this.outbox.grant(amount);
  }

  /** Streams have more credit from their beginning on. Throws ProtocolFault. */
  creditRaised(amount: number): void {
    this.#outbox?.grant(amount);
  }

  /** Messages that have come are still to be read if `failure` is `undefined`. */
  protected over(failure: FailureReason | undefined, waiting: FailureReason): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sendFailure = waiting;
    this.#outbox?.fail(waiting);
    this.#readFailure = failure;
    if (failure !== undefined) this.#inbox?.fail(failure);
    this.session.forget(this.id);
  }
}
