// A call of ours that is answered by one message: without iterables and promises, and usually with one frame each way.

import { RpcError } from "../rpc-error.ts";
import { CallingStream, callIsOver, type HeadersTaker } from "./calling-stream.ts";
import type { SentMessage } from "./frame-output.ts";
import { frameFlags } from "./frames.ts";
import type { FailureReason, InboxOptions } from "./inbox.ts";
import type { CallEnd, CallHead } from "./payloads.ts";
import type { Session } from "./session.ts";
import { sendCallWith } from "./single-frames.ts";
import { SingleInbox } from "./single-inbox.ts";
import type { StreamSession } from "./stream.ts";

/** Takes the answer of a call that has one message. */
export interface AnswerTaker extends HeadersTaker {
  /**
   * The call is over: with the message, which is valid until this returns, or with why there is none. `end`:
   * `undefined` if the peer has not ended it, or has sent nothing but the message. Called once. Must not throw.
   */
  answered(
    error: RpcError | undefined,
    message: Uint8Array | Promise<Uint8Array> | undefined,
    end: CallEnd | undefined,
  ): void;
}

export class SingleStream extends CallingStream {
  #taker: AnswerTaker | undefined;
  /** Made for an answer that is not one small frame. */
  #inbox: SingleInbox | undefined;

  constructor(id: number, session: StreamSession, maxMessageSize: number, taker: AnswerTaker) {
    super(id, session, maxMessageSize, taker);
    this.#taker = taker;
  }

  override gotMessage(payload: Uint8Array, flags: number): void {
    const taker = this.#taker;
    if (taker !== undefined && flags === frameFlags.last && this.isUntouched && payload.length <= this.maxMessageSize) {
      // The usual answer of a small call: it needs no copy.
      this.#taker = undefined;
      this.over(undefined, callIsOver);
      return taker.answered(undefined, payload, undefined);
    }
    super.gotMessage(payload, flags);
    const failure = this.#inbox?.failure;
    // Nobody reads, who would hear of it.
    if (failure !== undefined) this.cancel(failure());
  }

  protected override makeInbox(options: InboxOptions): SingleInbox {
    return (this.#inbox = new SingleInbox(options));
  }

  protected override over(reason: FailureReason | undefined, waiting: FailureReason): void {
    const taker = this.#taker;
    this.#taker = undefined;
    super.over(reason, waiting);
    if (taker === undefined) return;
    const failure = reason?.() ?? this.#inbox?.failure?.() ?? this.end?.error;
    if (failure !== undefined) return taker.answered(failure, undefined, this.end);
    const message = this.opened(this.#inbox?.takeOnly());
    const error = message === undefined ? new RpcError("unimplemented", noMessage) : undefined;
    taker.answered(error, message, this.end);
  }
}

/** Makes a call that has one message in both directions. Throws like `call` of the session. */
export function callOnce(
  session: Session,
  head: CallHead,
  message: SentMessage,
  maxMessageSize: number,
  taker: AnswerTaker,
): SingleStream {
  const { output } = session;
  return session.open((id) => {
    const isSent = sendCallWith(output, id, head, message);
    if (!isSent) output.call(id, head);
    const stream = new SingleStream(id, session, maxMessageSize, taker);
    if (!isSent) stream.sendOnly(message);
    return stream;
  });
}

const noMessage = "the answer has 0 messages instead of one";
