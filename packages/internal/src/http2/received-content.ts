// The content of one message, between the frames that bring it and whoever asks for it.

import { Buffer } from "node:buffer";
import { ContentRate } from "../http/content-rate.ts";
import { ReceiveWindow } from "./windows.ts";

export class ReceivedContent {
  readonly window: ReceiveWindow;
  readonly rate = new ContentRate();
  /** In bytes, as far as it has come. */
  received = 0;
  /** All of it has come. */
  isWhole = false;
  /**
   * What nobody has asked for yet lies here, up to `#end`: copied, because a piece would keep all that was read with
   * it.
   */
  #kept: Buffer | undefined;
  #end = 0;

  constructor(windowSize: number) {
    this.window = new ReceiveWindow(windowSize);
  }

  /** In bytes. */
  get kept(): number {
    return this.#end;
  }

  /** Keeps bytes until they are asked for. The window bounds how many there are. */
  keep(bytes: Buffer, start: number, end: number): void {
    const size = end - start;
    let into = this.#kept;
    if (into === undefined || into.length - this.#end < size) {
      into = Buffer.allocUnsafeSlow(Math.max(minRoom, 2 * this.#end + size));
      this.#kept?.copy(into, 0, 0, this.#end);
      this.#kept = into;
    }
    bytes.copy(into, this.#end, start, end);
    this.#end += size;
  }

  /** All that is kept, in one piece; `undefined` if there is nothing. */
  take(): Buffer | undefined {
    if (this.#kept === undefined) return undefined;
    const piece = this.#kept.subarray(0, this.#end);
    this.drop();
    return piece;
  }

  drop(): void {
    this.#kept = undefined;
    this.#end = 0;
  }
}

/** In bytes. */
const minRoom = 1024;
