// Where the lines of an error log go.

/** Takes finished lines. No method ever throws or rejects: a log that fails must not fail its caller. */
export interface LogSink {
  /** Takes a line, its line end included, or drops and counts it. */
  write(line: string): void;
  /** Resolves when all that was written has reached the system, or cannot. */
  flush(): Promise<void>;
  /**
   * The same, blocking the process: for the last words before an exit. For a reader that does not read it waits until `until`, in ms on the
   * clock of `performance.now`; what cannot be written by then is lost. Default: half a second from now.
   */
  flushSync(until?: number): void;
  /** Goes on in a file of the same name, opened at once: the present one has been moved. */
  reopen(): void;
  /** Flushes and lets go of the file. Lines written afterwards are dropped. */
  close(): Promise<void>;
}

/** Keeps the lines in memory, for tests; the oldest go when there are more than `maxLines`. */
export class MemorySink implements LogSink {
  /** What was written so far, a line each. */
  readonly lines: string[] = [];
  readonly #maxLines: number;

  constructor(maxLines = 1000) {
    this.#maxLines = maxLines;
  }

  write(line: string): void {
    if (this.lines.push(line) > this.#maxLines) this.lines.shift();
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  flushSync(): void {}

  reopen(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}
