// Lets the young generation of V8's heap, which is small (see young-generation.ts), grow where its collections take
// much of the time of a busy process.
//
//   collecting    3 %   3 %  25 %  24 %  14 %   8 %   8 %
//   semi-space    1     1    1     2     4      4     4  MB
//                          └ requests that wait for a database
//
// V8 has a rule of its own for this: it grows when what has survived adds up to its size. So it always grows, only more
// slowly where little survives, and there it only leaves the caches. This one asks what collections cost, in samples.
// V8 makes it smaller again when a process is idle. Measured by processor time for each request:
//
//   sessions in Redis            0.7 of what 1 MB for good takes
//   answers of 10 KiB, HTTP/2    0.75 of what two semi-spaces of 2 MB take, to which V8 made them grow

/** The young generation of a process. */
export interface YoungGeneration {
  /** How long the event loop has been active since the start, in ms. */
  activeTime(): number;
  /** In bytes, of one semi-space. */
  size(): number;
  /** Whether V8 may make it larger. */
  letGrow(mayGrow: boolean): void;
  /** `collected` is told the time of each of its collections, in ms. Returns the function that ends this. */
  watch(collected: (duration: number) => void): () => void;
}

/** In ms. */
const sampleTime = 100;
const pauseTime = 2_000;
/** Of the time between two looks: a process that is less busy is left alone. */
const busyShare = 0.2;
/** Of the time that the process is busy. */
const muchShare = 0.1;

export class YoungGrowth {
  readonly #young: YoungGeneration;
  /** In bytes. */
  readonly #maxSize: number;
  #activeAtLook: number;
  /** In ms, until the next look. */
  #wait = pauseTime;
  /** Ends the sample that is under way. */
  #endWatch: (() => void) | undefined;
  /** In ms, of the sample. */
  #collecting = 0;
  /** While it may grow: beyond which size it has grown. In bytes. */
  #grownBeyond: number | undefined;

  /** `maxSize`: of a semi-space, in bytes. */
  constructor(young: YoungGeneration, maxSize: number) {
    this.#young = young;
    this.#maxSize = maxSize;
    this.#activeAtLook = young.activeTime();
  }

  /** Returns after how many ms to look again. */
  look(): number {
    const active = this.#young.activeTime();
    const busyTime = active - this.#activeAtLook;
    this.#activeAtLook = active;
    const isBusy = busyTime >= this.#wait * busyShare;
    const isWatching = this.#endWatch !== undefined;
    const isSampled = isWatching && this.#grownBeyond === undefined;
    if (isBusy && !isWatching) this.#begin();
    else if (isBusy && isSampled && this.#collecting >= busyTime * muchShare) this.#letGrow();
    else this.end();
    this.#wait = this.#endWatch === undefined ? pauseTime : sampleTime;
    return this.#wait;
  }

  /** What is under way is given up. */
  end(): void {
    if (this.#grownBeyond !== undefined) this.#young.letGrow(false);
    this.#grownBeyond = undefined;
    this.#endWatch?.();
    this.#endWatch = undefined;
  }

  #begin(): void {
    this.#collecting = 0;
    this.#endWatch = this.#young.watch((duration) => this.#collected(duration));
  }

  #letGrow(): void {
    const size = this.#young.size();
    if (size >= this.#maxSize) return this.end();
    this.#grownBeyond = size;
    this.#young.letGrow(true);
  }

  #collected(duration: number): void {
    this.#collecting += duration;
    // It grows in one step, and would grow on at one of the next collections.
    if (this.#grownBeyond !== undefined && this.#young.size() > this.#grownBeyond) this.end();
  }
}
