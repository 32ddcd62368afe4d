// Tells the leader the lines of the error log of this worker, a few times a second, for those who watch the program.

import { entryOf, type LogEntry, type LogRecord } from "@hemi/hemi";
import type { Channel } from "../channel/channel.ts";
import type { LeaderCalls, WorkerCalls } from "../channel/calls.ts";

export class LogReports {
  readonly #leader: Channel<LeaderCalls, WorkerCalls>;
  #entries: LogEntry[] = [];
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(leader: Channel<LeaderCalls, WorkerCalls>) {
    this.#leader = leader;
  }

  /** For the log. Of many lines at once only the first are told: the log itself has them all. */
  readonly follow = (record: LogRecord): void => {
    // The leader's own.
    if (record.isRelayed === true) return;
    if (this.#entries.length >= maxEntries) {
      this.#dropped++;
      return;
    }
    this.#entries.push(entryOf(record));
    this.#timer ??= setTimeout(() => this.#tell(), interval).unref();
  };

  /** Tells what is left, at the end. */
  flush(): void {
    clearTimeout(this.#timer);
    if (this.#entries.length > 0) this.#tell();
  }

  #tell(): void {
    this.#timer = undefined;
    const entries = this.#entries;
    if (this.#dropped > 0) {
      const text = `… and ${this.#dropped} more lines, which are in the log only`;
      entries.push({ time: Date.now(), level: "warn", path: "", text });
    }
    this.#entries = [];
    this.#dropped = 0;
    this.#leader.tell("logged", entries);
  }
}

/** In ms. */
const interval = 250;
const maxEntries = 50;
