// What resets of a peer take from the window of its connection.
//
// Content that came on a stream before its reset, and was not read, never counts as taken in the library (quiche 0.18):
// the window of the connection stays smaller by it, until nothing can be sent any more. How much it was is not told. So
// the connection is left before that, and another one takes its place.

import type { RequestStream } from "./request-stream.ts";

export interface LostWindowLimits {
  /** Of each stream, in bytes. Read when used: live. */
  readonly streamWindow: () => number;
  /** Of the connection, in bytes. Read when used: live. */
  readonly connWindow: () => number;
}

export class LostWindow {
  readonly #limits: LostWindowLimits;
  /** In bytes, at most. */
  #lost = 0;

  constructor(limits: LostWindowLimits) {
    this.#limits = limits;
  }

  /** The peer has reset a stream. True: too little of the window may be left. */
  reset({ hasUnread, received }: Pick<RequestStream, "hasUnread" | "received">): boolean {
    const { streamWindow, connWindow } = this.#limits;
    if (hasUnread) this.#lost += streamWindow();
    else if (received > 0) this.#lost += Math.min(streamWindow(), lostWhileReading);
    return this.#lost > connWindow() / 2;
  }
}

/** In bytes: what may come together with a reset. */
const lostWhileReading = 16 * 1024;
