// A few jobs at once, a few more that wait, and no others. Who brings many of them waits behind who brings few.
//
//   sources, in turn:   203.0.113.7 ── job, job, job, job      the queue is full, and a job of a third source comes:
//                       198.51.100.2 ── job                      the last job of the longest row is refused for it

/** A job that waits. `begin(false)`: it is refused. */
type Begin = (isAdmitted: boolean) => void;

export interface FairQueueOptions {
  readonly maxRunning: number;
  /** Of all sources together. */
  readonly maxWaiting: number;
}

/** The sources of jobs take turns; the jobs of one source start in the order in which they come. */
export class FairQueue {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  #running = 0;
  #waiting = 0;
  /** Jobs that wait, by source; the source whose turn is next stands first. */
  readonly #rows = new Map<string, Begin[]>();

  constructor({ maxRunning, maxWaiting }: FairQueueOptions) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Runs a job when it is its turn and gives what it gives. `undefined`, and the job is not run: too many wait, of
   * which this source has as many as any other, or has had more when another one came; or it was given up. `waits` is
   * called if the job has to wait, with the function that gives it up: its place is free for others at once.
   */
  async run<Value>(
    source: string,
    job: () => Promise<Value>,
    waits?: (giveUp: () => void) => void,
  ): Promise<Value | undefined> {
    if (this.#running < this.#maxRunning) this.#running++;
    else if (!(await this.#wait(source, waits))) return undefined;
    try {
      return await job();
    } finally {
      this.#next();
    }
  }

  async #wait(source: string, waits: ((giveUp: () => void) => void) | undefined): Promise<boolean> {
    const row = this.#rows.get(source);
    if (this.#waiting >= this.#maxWaiting && !this.#makeRoom(row?.length ?? 0)) return false;
    return new Promise((resolve) => {
      this.#waiting++;
      if (row === undefined) this.#rows.set(source, [resolve]);
      else row.push(resolve);
      waits?.(() => this.#giveUp(source, resolve));
    });
  }

  /** Nothing, if it has begun or was refused. */
  #giveUp(source: string, begin: Begin): void {
    const row = this.#rows.get(source);
    const place = row?.indexOf(begin) ?? -1;
    if (row === undefined || place < 0) return;
    row.splice(place, 1);
    if (row.length === 0) this.#rows.delete(source);
    this.#waiting--;
    begin(false);
  }

  /** Refuses the last job of the longest row, if that is longer than that of the newcomer would become. */
  #makeRoom(ownLength: number): boolean {
    let longest: Begin[] = [];
    for (const row of this.#rows.values()) if (row.length > longest.length) longest = row;
    if (longest.length <= ownLength + 1) return false;
    this.#waiting--;
    longest.pop()?.(false);
    return true;
  }

  /** The place goes to the next job at once: nobody can take it in between. */
  #next(): void {
    for (const [source, row] of this.#rows) {
      // Its next turn comes after those of all others.
      this.#rows.delete(source);
      const begin = row.shift();
      if (row.length > 0) this.#rows.set(source, row);
      if (begin === undefined) continue;
      this.#waiting--;
      begin(true);
      return;
    }
    this.#running--;
  }
}
