// The last lines of the error logs of all processes of the program.

import { entryOf, type LogEntry, type LogRecord } from "@hemi/hemi/base";
import { NumberedList, type Numbered } from "./numbered-list.ts";

/** A line with the process that has written it. */
export interface TailEntry extends LogEntry {
  /** `leader`, `worker 0`. */
  readonly from: string;
}

export class LogTail {
  readonly #entries = new NumberedList<TailEntry>(maxEntries, maxSize, ({ path, text }) => path.length + text.length);

  /** For the log of this process. */
  readonly follow = (record: LogRecord): void => this.add("leader", [entryOf(record)]);

  add(from: string, entries: readonly LogEntry[]): void {
    for (const entry of entries) this.#entries.add({ ...entry, from });
  }

  after(number: number): readonly Numbered<TailEntry>[] {
    return this.#entries.after(number);
  }
}

const maxEntries = 1000;
/** In UTF-16 code units. */
const maxSize = 500_000;
