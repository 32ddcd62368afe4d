// Which stream sends next (RFC 9218 section 10): the most urgent ones first; of these one after the other, where each
// needs all of its content to be of use, and by turns those that are of use in parts.
//
//   urgency 0   [ ]
//           1   [a] [b i] [c i]      a until it is done; then b, c, b, c …
//           …
//           7   [d]

import type { Priority } from "./priority.ts";

export class Scheduler<Stream> {
  readonly #lines: (Line<Stream> | undefined)[] = [];
  /** None that is more urgent has a stream. */
  #mostUrgent = 0;
  #size = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** Behind those of its urgency. */
  add(stream: Stream, { urgency, isIncremental }: Priority): void {
    (this.#lines[urgency] ??= new Line()).add({ stream, isIncremental });
    if (urgency < this.#mostUrgent) this.#mostUrgent = urgency;
    this.#size++;
  }

  /** The stream whose turn it is: it may send a frame. `undefined`: there is none. */
  next(): Stream | undefined {
    if (this.#size === 0) return undefined;
    for (; this.#mostUrgent < this.#lines.length; this.#mostUrgent++) {
      const line = this.#lines[this.#mostUrgent];
      const first = line?.first;
      if (line === undefined || first === undefined) continue;
      if (first.isIncremental && line.size > 1) {
        line.shift();
        line.add(first);
      }
      return first.stream;
    }
    return undefined;
  }

  remove(stream: Stream): void {
    for (let urgency = this.#mostUrgent; urgency < this.#lines.length; urgency++) {
      if (this.#lines[urgency]?.remove(stream) !== true) continue;
      this.#size--;
      return;
    }
  }
}

interface Place<Stream> {
  readonly stream: Stream;
  readonly isIncremental: boolean;
}

/** The streams of one urgency, in order. */
class Line<Stream> {
  /** In front of `#start`, places that have left: `Array.shift` would move all that follow, for each frame. */
  #places: (Place<Stream> | undefined)[] = [];
  #start = 0;

  get size(): number {
    return this.#places.length - this.#start;
  }

  get first(): Place<Stream> | undefined {
    return this.#places[this.#start];
  }

  add(place: Place<Stream>): void {
    this.#places.push(place);
  }

  shift(): void {
    this.#places[this.#start++] = undefined;
    if (this.#start === this.#places.length) {
      this.#places.length = this.#start = 0;
    } else if (this.#start >= manyLeft && this.size <= this.#start) {
      this.#places = this.#places.slice(this.#start);
      this.#start = 0;
    }
  }

  /** Returns whether it was there. */
  remove(stream: Stream): boolean {
    // Most leave when it is their turn.
    if (this.first?.stream === stream) {
      this.shift();
      return true;
    }
    for (let at = this.#start + 1; at < this.#places.length; at++) {
      if (this.#places[at]?.stream !== stream) continue;
      this.#places.splice(at, 1);
      return true;
    }
    return false;
  }
}

/** No prop: so many places are not worth the work of dropping them. */
const manyLeft = 32;
