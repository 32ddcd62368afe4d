// The frames that a session sends: gathered in one piece of memory, and written together at the end of a turn of the
// event loop. A write costs more than a small call.

import { PayloadWriter } from "./payload-bytes.ts";

/** A message as it goes out: its bytes, or the text of its JSON. */
export type SentMessage = Uint8Array | string;

/** What waits to be written. */
export interface Flushable {
  /** Whether it is flushed at the end of the turn. Belongs to whoever calls `flush`. */
  isDue: boolean;
  /** Writes what waits. Never throws. */
  flush(): void;
}

/** What frames are written to. */
export interface FrameTarget {
  /** Sends bytes, which do not change until `written` is called; if that is never called, never. */
  write(bytes: Uint8Array<ArrayBuffer>, written: () => void): void;
  /** Flushes the output once, at the end of the turn of the event loop at the latest. */
  flushSoon(output: Flushable): void;
}

export class FrameOutput implements Flushable {
  isDue = false;
  /** Where whole frames are added, each followed by `wrote`. */
  readonly writer = new PayloadWriter();
  readonly #target: FrameTarget;

  constructor(target: FrameTarget) {
    this.#target = target;
  }

  /** A whole frame. */
  frame(bytes: Uint8Array): void {
    if (bytes.length > maxGathered) this.flush();
    this.writer.raw(bytes);
    this.wrote();
  }

  /** A frame was added. */
  wrote(): void {
    if (this.writer.size > maxGathered) this.flush();
    else if (!this.isDue) this.#target.flushSoon(this);
  }

  flush(): void {
    const { writer } = this;
    if (writer.size === 0) return;
    const bytes = writer.lend();
    this.#target.write(bytes, () => writer.giveBack(bytes));
  }
}

/**
 * In bytes: more is written at once. Not a prop: the peer begins to work while we go on, and a write costs as much as
 * some small calls.
 */
const maxGathered = 8 * 1024;
