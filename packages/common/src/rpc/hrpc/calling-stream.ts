// A call of ours, which the peer answers.

import { noBytes } from "../bytes.ts";
import { asRpcError } from "../call-limits.ts";
import { Metadata } from "../metadata.ts";
import { RpcError } from "../rpc-error.ts";
import type { SentMessage } from "./frame-output.ts";
import { frame, frameFlags, frameTypes, ProtocolFault } from "./frames.ts";
import type { CallEnd } from "./payloads.ts";
import { Stream, type StreamSession } from "./stream.ts";

/** Hears of metadata that comes before the messages. What it throws ends its call alone. */
export interface HeadersTaker {
  headersCame(headers: Metadata): void;
}

export class CallingStream extends Stream {
  readonly #user: HeadersTaker;
  #hasHeaders = false;
  #end: CallEnd | undefined;

  constructor(id: number, session: StreamSession, maxMessageSize: number, user: HeadersTaker) {
    super(id, session, maxMessageSize);
    this.#user = user;
  }

  /** How the call has ended, after the last message; `undefined` while it has not. */
  get end(): CallEnd | undefined {
    return this.#end;
  }

  /** No more messages of ours. */
  close(): void {
    if (!this.isOver) this.session.output.write(frame(frameTypes.close, 0, this.id, noBytes));
  }

  /** Sends the only message, which closes our side, too. What fails at that ends the call. */
  sendOnly(message: SentMessage): void {
    this.send(message, frameFlags.last)?.catch((error: unknown) => this.cancel(asRpcError(error)));
  }

  /** Gives the call up. Harmless once it is over. */
  cancel(reason: RpcError): void {
    if (this.isOver) return;
    this.session.output.write(frame(frameTypes.cancel, 0, this.id, noBytes));
    this.broken(reason);
  }

  override gotMessage(payload: Uint8Array, flags: number): void {
    super.gotMessage(payload, flags);
    if ((flags & (frameFlags.last | frameFlags.more)) === frameFlags.last) this.#ended(wentWell());
  }

  /** The peer has sent HEADERS. Throws ProtocolFault. */
  gotHeaders(headers: Metadata): void {
    if (this.#hasHeaders) throw new ProtocolFault("a call has headers twice");
    this.#hasHeaders = true;
    try {
      this.#user.headersCame(headers);
    } catch (error) {
      // The caller's mistake: its call ends, and the session goes on.
      this.cancel(asRpcError(error));
    }
  }

  /** The peer has sent END. Throws ProtocolFault. */
  gotEnd(end: CallEnd): void {
    this.closed();
    this.#ended(end);
  }

  #ended(end: CallEnd): void {
    if (this.isOver) return;
    this.#end = end;
    this.over(undefined, () => end.error ?? callIsOver());
  }

  /** The connection is over before the call was, or the caller gives it up. */
  broken(error: RpcError): void {
    this.over(
      () => error,
      () => error,
    );
  }
}

export function wentWell(): CallEnd {
  return { error: undefined, trailers: new Metadata() };
}

/** For whoever still sends: the callee has seen enough. */
export function callIsOver(): RpcError {
  return new RpcError("canceled", "the call is over");
}
