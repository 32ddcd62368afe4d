// Two streams made one: what comes by each goes out by the other.
//
//   a ── data ──> b      at the pace of who takes it
//   a ── end ───> b      the other direction goes on
//   a ── breaks ─> b     is broken off, too: nobody can make use of half of it

import type { Duplex } from "node:stream";
import type { Deadline, Deadlines } from "@hemi/common";

export interface SplicedOptions {
  readonly deadlines: Deadlines;
  /** In ms; without a byte in either direction for so long, both are broken off. Asked for whenever it is set. */
  readonly idleTimeout: () => number;
  /** Is told once, if it was for that. */
  readonly expired: () => void;
}

/** Both are paused, and nobody else reads or writes them from here on. What it returns asks for `idleTimeout` anew. */
export function splice(a: Duplex, b: Duplex, options: SplicedOptions): () => void {
  const spliced = new Spliced(a, b, options);
  return () => spliced.countAnew();
}

class Spliced {
  readonly #a: Duplex;
  readonly #b: Duplex;
  readonly #options: SplicedOptions;
  readonly #deadline: Deadline;

  constructor(a: Duplex, b: Duplex, options: SplicedOptions) {
    this.#a = a;
    this.#b = b;
    this.#options = options;
    this.#deadline = options.deadlines.add(() => this.#expired());
    // Before anything is read: who is gone already says so by "close" only.
    if (a.destroyed || b.destroyed) this.#breakOff();
    else {
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
    // What went wrong is of no use: "close" follows.
    from.on("error", noop);
    from.on("close", () => {
      const isWhole = from.readableEnded && from.writableFinished;
      if (!isWhole) this.#breakOff();
      else if (to.destroyed) this.#deadline.clear();
    });
    from.resume();
  }

  /** A deadline that is moved to a later time is one store. */
  #moved(): void {
    this.#deadline.set(this.#options.idleTimeout());
  }

  #expired(): void {
    this.#options.expired();
    this.#breakOff();
  }

  #breakOff(): void {
    this.#deadline.clear();
    this.#a.destroy();
    this.#b.destroy();
  }
}

function noop(): void {}
