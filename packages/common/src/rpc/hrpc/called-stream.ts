// A call of the peer, which we answer.

import type { Metadata } from "../metadata.ts";
import { RpcError } from "../rpc-error.ts";
import { sendEnd } from "./call-end.ts";
import type { SentMessage } from "./frame-output.ts";
import { frameFlags, goAwayCodes, ProtocolFault } from "./frames.ts";
import { messageCost } from "./inbox.ts";
import { headersFrame, isTooMuch, type CallEnd, type CallHead } from "./payloads.ts";
import type { ReceivedCall } from "./received-call.ts";
import { sendAnswer } from "./single-frames.ts";
import { Stream, type StreamSession } from "./stream.ts";

/** What the peer may still send that brings nothing. */
export interface CallBudget {
  /** A call was answered. */
  earned(): void;
  /** A frame has come that brings nothing. Throws ProtocolFault after too many. */
  spend(): void;
}

export class CalledStream extends Stream {
  readonly head: CallHead;
  /** The peer does not want the answer any more, or is gone. Set by whoever serves the call. */
  onCancel: () => void = ignore;
  readonly #budget: CallBudget;
  /** The message of the CALL frame, while that lasts. */
  #only: Uint8Array | undefined;

  /** `flags`: of the CALL. Throws ProtocolFault. */
  constructor(
    id: number,
    session: StreamSession,
    budget: CallBudget,
    maxMessageSize: number,
    { head, only }: ReceivedCall,
    flags: number,
  ) {
    super(id, session, maxMessageSize);
    this.#budget = budget;
    this.head = head;
    if (only === undefined) return;
    if (only.length + messageCost > session.credit) {
      throw new ProtocolFault("a call has a message that it had no credit for", goAwayCodes.flowControl);
    }
    const isPlain = (flags & codings) === 0 && only.length <= maxMessageSize;
    if (isPlain) this.#only = only;
    else this.inbox.push(only, flags & codings);
    this.closed();
  }

  /**
   * The only message, if it came with the call and nobody has taken it; for whoever serves the call, at once: it is
   * valid until the frame is done with. `undefined`: there is `receive`.
   */
  takeOnly(): Uint8Array | undefined {
    const only = this.#only;
    this.#only = undefined;
    return only;
  }

  override receive(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const only = this.takeOnly();
    return only === undefined ? super.receive() : new Uint8Array(only);
  }

  /** The frame of the call is done with: its message is kept for whoever takes it later. */
  keepOnly(): void {
    if (this.#only !== undefined) this.#only = new Uint8Array(this.#only);
  }

  /** Metadata before the messages. */
  sendHeaders(metadata: Metadata): void {
    if (this.isOver || isTooMuch({ metadata })) return;
    this.session.output.writeWhole(headersFrame(this.id, metadata));
  }

  /**
   * Sends the only message of a call that went well, and ends it. False: it must be sent by `send`, because it is
   * large, is to be compressed, or the peer reads slowly.
   */
  answer(message: SentMessage): boolean {
    if (this.isOver || !sendAnswer(this.session.output, this.id, message)) return false;
    this.#budget.earned();
    this.over(ended, ended);
    return true;
  }

  /** Ends the call. `isBegun`: whether it may have had an effect. */
  finish(end: CallEnd, isBegun = true): void {
    if (this.isOver) return;
    if (isBegun) this.#budget.earned();
    sendEnd(this.session.output, this.id, end, isBegun);
    this.over(ended, ended);
  }

  /** The peer has sent CANCEL. Throws ProtocolFault. */
  gotCancel(): void {
    // Calls that begin and are canceled cost us much more than the peer.
    this.#budget.spend();
    this.canceled();
  }

  /** The peer has sent CANCEL, or is gone. */
  canceled(): void {
    if (this.isOver) return;
    this.over(canceled, canceled);
    this.onCancel();
  }
}

const codings = frameFlags.gzip | frameFlags.brotli;

function ignore(): void {}

function canceled(): RpcError {
  return new RpcError("canceled", "the caller does not want the answer any more");
}

/** For whoever still reads or sends. */
function ended(): RpcError {
  return new RpcError("canceled", "the call is over");
}
