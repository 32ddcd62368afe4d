// The destination of the lines of a log.

/** Takes complete lines. No method throws or rejects: a log that fails must not make its caller fail. */
export interface LogSink {
  /** Takes a line with its line end, or drops and counts it. */
  write(line: string): void;
  /** Resolves when all lines so far have been passed to the system, or cannot be written. */
  flush(): Promise<void>;
  /**
   * The same, synchronously, before an exit. For a reader that does not read, it waits until `until`, in milliseconds
   * on the clock of `performance.now`. Lines that cannot be written by then are lost. Default: half a second from now.
   */
  flushSync(until?: number): void;
  /** Continues in a new file of the same name, opened at once, because the current one has been moved. */
  reopen(): void;
  /** Flushes and closes the file. Later lines are dropped. */
  close(): Promise<void>;
}

/** Keeps the lines in memory, for tests. Beyond `maxLines`, the oldest are dropped. */
export class MemorySink implements LogSink {
  /** The lines so far. */
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
