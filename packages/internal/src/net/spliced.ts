// Joins two streams: the input of each is the output of the other.
//
//  a ── data ──> b      at the pace of the reader
//  a ── end ───> b      the other direction continues
//  a ── error ─> b      is destroyed, too: half of the tunnel is useless

import type { Duplex } from "node:stream";
import type { Deadline, Deadlines, SeatedRoster } from "@hemi/common";

/** Two streams that are joined. */
export interface SplicedPair {
  /** Its place in the roster. */
  place: number;
  /** Applies a changed `idleTimeout`. */
  countAnew(): void;
}

/** How two streams are joined. */
export interface SplicedOptions {
  /** The deadline of the idle timeout is one of these. */
  readonly deadlines: Deadlines;
  /**
   * In milliseconds. Without a byte in either direction for this time, both are destroyed. Called each time the timeout
   * is set.
   */
  readonly idleTimeout: () => number;
  /** Called once if the timeout expired. */
  readonly expired: () => void;
  /** They are one of these as long as one of them is open. Default: nobody needs to know. */
  readonly among?: SeatedRoster<SplicedPair>;
}

/**
 * Both streams are paused, and only this function reads and writes them from now on. The returned function applies a
 * changed `idleTimeout`.
 */
export function splice(a: Duplex, b: Duplex, options: SplicedOptions): () => void {
  const spliced = new Spliced(a, b, options);
  return () => spliced.countAnew();
}

class Spliced implements SplicedPair {
  place = -1;
  readonly #a: Duplex;
  readonly #b: Duplex;
  readonly #options: SplicedOptions;
  readonly #deadline: Deadline;

  constructor(a: Duplex, b: Duplex, options: SplicedOptions) {
    this.#a = a;
    this.#b = b;
    this.#options = options;
    this.#deadline = options.deadlines.add(() => this.#expired());
    // Before any read: a stream that is already destroyed emits only "close".
    if (a.destroyed || b.destroyed) this.#breakOff();
    else {
      options.among?.add(this);
      this.#moved();
      this.#forward(a, b);
      this.#forward(b, a);
    }
  }

  countAnew(): void {
    if (!this.#a.destroyed && !this.#b.destroyed) this.#moved();
  }

  #forward(from: Duplex, to: Duplex): void {
    from.on("data", (piece: Buffer) => {
      this.#moved();
      if (!to.write(piece)) from.pause();
    });
    to.on("drain", () => {
      this.#moved();
      from.resume();
    });
    from.on("end", () => to.end());
    // The error is not needed: "close" follows.
    from.on("error", noop);
    from.on("close", () => {
      const isWhole = from.readableEnded && from.writableFinished;
      if (!isWhole) this.#breakOff();
      else if (to.destroyed) this.#over();
    });
    // Before it was given to us: it is not told again.
    if (from.readableEnded) to.end();
    else from.resume();
  }

  /** Moving a deadline to a later time costs one store. */
  #moved(): void {
    this.#deadline.set(this.#options.idleTimeout());
  }

  #expired(): void {
    this.#options.expired();
    this.#breakOff();
  }

  #over(): void {
    this.#deadline.clear();
    this.#options.among?.delete(this);
  }

  #breakOff(): void {
    this.#over();
    this.#a.destroy();
    this.#b.destroy();
  }
}

function noop(): void {}
