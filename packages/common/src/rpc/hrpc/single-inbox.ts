// The messages of a peer that may send one only.

import { RpcError } from "../rpc-error.ts";
import { Inbox, type FailureReason, type Kept, type ReceivedMessage } from "./inbox.ts";

export class SingleInbox extends Inbox {
  /** Why nothing more is to be read. */
  failure: FailureReason | undefined;

  override fail(failure: FailureReason): void {
    this.failure ??= failure;
    super.fail(failure);
  }

  /** After the end: the one message, if it has come. */
  takeOnly(): ReceivedMessage | undefined {
    return this.messages.shift();
  }

  /** It is read when it is whole, so it may be larger than the credit. */
  protected override get isAwaited(): boolean {
    return true;
  }

  protected override keep(message: Kept): void {
    if (this.messages.length === 0) super.keep(message);
    else this.fail(() => new RpcError("unimplemented", "the answer has several messages instead of one"));
  }
}
