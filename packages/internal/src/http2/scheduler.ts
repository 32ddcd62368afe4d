// Which stream sends next (RFC 9218 section 10): the most urgent ones first; of these one after the other, where each
// needs all of its content to be of use, and by turns those that are of use in parts.
//
//   urgency 0   [ ]
//           1   [a] [b i] [c i]      a until it is done; then b, c, b, c …
//           …
//           7   [d]

import type { Priority } from "./priority.ts";

export class Scheduler<Stream> {
  readonly #queues: ({ stream: Stream; isIncremental: boolean }[] | undefined)[] = [];
  #size = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** Behind those of its urgency. */
  add(stream: Stream, { urgency, isIncremental }: Priority): void {
    (this.#queues[urgency] ??= []).push({ stream, isIncremental });
    this.#size++;
  }

  /** The stream whose turn it is: it may send a frame. `undefined`: there is none. */
  next(): Stream | undefined {
    for (const queue of this.#queues) {
      const first = queue?.[0];
      if (queue === undefined || first === undefined) continue;
      if (first.isIncremental && queue.length > 1) {
        queue.shift();
        queue.push(first);
      }
      return first.stream;
    }
    return undefined;
  }

  remove(stream: Stream): void {
    for (const queue of this.#queues) {
      if (queue === undefined) continue;
      // Most leave when it is their turn.
      if (queue[0]?.stream === stream) queue.shift();
      else {
        const at = queue.findIndex((entry) => entry.stream === stream);
        if (at < 0) continue;
        queue.splice(at, 1);
      }
      this.#size--;
      return;
    }
  }
}
