// The lines of the leader's own error log, for the addons that send the error log elsewhere. Those are in workers: the
// leader loads none of the user's code. So the primary worker passes them on.
//
//   log of the leader ──> BatchQueue ──> primary worker ──relay──> addons
//                            │ full          └─ none is ready: the same lines again, a second later
//                            └──> dropped, and told of

import { BatchQueue } from "@hemi/common";
import { entryOf, type ErrorLog, type LogEntry } from "@hemi/hemi/base";

export class LeaderLines implements AsyncDisposable {
  readonly #queue: BatchQueue<LogEntry>;
  readonly #unfollow: () => void;
  #dropped = 0;

  /** `send`: rejects if no worker is ready. */
  constructor(log: ErrorLog, send: (entries: readonly LogEntry[]) => Promise<unknown>) {
    this.#queue = new BatchQueue<LogEntry>({
      limits: { maxQueue, maxBatch, interval: gatherTime },
      maxTries: Infinity,
      retryAfter,
      send: async (entries) => {
        try {
          const dropped = this.#dropped;
          await send(dropped === 0 ? entries : [...entries, noteOf(dropped)]);
          this.#dropped -= dropped;
          return "accepted";
        } catch {
          return "again";
        }
      },
      sent: () => {},
      dropped: (count) => (this.#dropped += count),
    });
    this.#unfollow = log.follow((record) => this.#queue.add(asLeaders(entryOf(record))));
  }

  /** Sends what is left, once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#unfollow();
    await this.#queue.close();
  }
}

function noteOf(dropped: number): LogEntry {
  const text = `… and ${dropped} more lines, which are in the log of the leader only`;
  return { time: Date.now(), level: "warn", path: "leader", text };
}

/** Lines of components have their paths. */
function asLeaders(entry: LogEntry): LogEntry {
  return { ...entry, path: entry.path === "" ? "leader" : entry.path };
}

const maxQueue = 200;
const maxBatch = 50;
/** In milliseconds: how long a line waits for others. */
const gatherTime = 250;
/** In milliseconds. */
const retryAfter = 1000;
