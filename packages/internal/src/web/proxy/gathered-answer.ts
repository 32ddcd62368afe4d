// The content of a node's answer, gathered so that the node is free before the client has taken it.

import { Buffer } from "node:buffer";
import type { NodeResponseHead } from "../../http/web-backend.ts";

export class GatheredAnswer {
  readonly #pieces: Uint8Array[] = [];
  readonly #most: number;
  #size = 0;

  /** `most`: in bytes, of what is gathered. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The piece must stay as it is. False: there is more than may be gathered, and none may wait any longer. */
  add(piece: Uint8Array): boolean {
    this.#pieces.push(piece);
    this.#size += piece.length;
    return this.#size <= this.#most;
  }

  /** All that has come. */
  get content(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}

/**
 * Whether an answer may be gathered, up to `most` bytes of it: not an event stream, nor what the node says is to go on
 * at once, in the words of nginx.
 */
export function mayBeGathered({ fields, contentSize = 0 }: NodeResponseHead, most: number): boolean {
  if (most === 0 || contentSize > most) return false;
  if (fields.get("x-accel-buffering")?.trim().toLowerCase() === "no") return false;
  return fields.get("content-type")?.toLowerCase().startsWith("text/event-stream") !== true;
}
