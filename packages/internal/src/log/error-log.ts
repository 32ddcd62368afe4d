// The error log: messages of components, to standard error or a file.

import { writeSync } from "node:fs";
import { formatJson, formatText } from "./format.ts";
import type { LogFormat } from "./format.ts";
import { logLevels } from "./record.ts";
import { levelFor, type PathLevel } from "./path-levels.ts";
import type { LogEntry } from "./log-entry.ts";
import type { LogDetails, LogLevel, LogRecord } from "./record.ts";
import type { LogSink } from "./sink.ts";
import { Descriptor } from "./descriptor.ts";
import { LogFile } from "./log-file.ts";
import { StreamSink } from "./stream-sink.ts";

/** The log of a component. No method throws or waits. Text from a peer cannot forge a record. */
export interface ErrorLog {
  /** The path in every record; empty for the stage itself. */
  readonly path: string;
  /** Writes a line that helps to find a fault. */
  debug(message: string, details?: LogDetails): void;
  /** Writes a line about normal operation. */
  info(message: string, details?: LogDetails): void;
  /** Writes a line about a problem that needs attention. */
  warn(message: string, details?: LogDetails): void;
  /** Writes a line about a failure. */
  error(message: string, details?: LogDetails): void;
  /** Whether records of this level are written. Check it before you compute an expensive message. */
  enabled(level: LogLevel): boolean;
  /**
   * The same log for the component with this path (a complete path, not a suffix). Pass a function if the path may
   * change.
   */
  withPath(path: string | (() => string)): ErrorLog;
  /**
   * From now on, gives each record that is written to `listener`, whichever component writes it. The listener must not
   * throw, and must not write to this log. Returns the function that ends this.
   */
  follow(listener: (record: LogRecord) => void): () => void;
}

/** The log with the methods of its owner. */
export interface OwnedErrorLog extends ErrorLog {
  /** Resolves when all lines so far have been passed to the system. */
  flush(): Promise<void>;
  /** Writes waiting lines synchronously, before a process exits. */
  flushSync(): void;
  /**
   * Continues in a new file of the same name, opened at once, because the current one has been moved. No effect on
   * standard error.
   */
  reopen(): void;
  /** Gives a line that another process of the program has written to those who follow this log. It is not written. */
  relay(entry: LogEntry): void;
  /** Other minimum levels for some components, in place of those before. Empty: that of the log for all. */
  setLevels(levels: readonly PathLevel[]): void;
  /** Waits until everything is written, at most two seconds. Later records are dropped. */
  close(): Promise<void>;
}

/** The destination, the format and the minimum level of an error log. */
export interface ErrorLogOptions {
  /** Records below this level are not written. Default: `info`. */
  readonly level?: LogLevel;
  /** `text` for people, `json` for one JSON object per line. Default: `text`. */
  readonly format?: "text" | "json";
  /** A path; the file and its folders are created if missing, and lines are appended. Default: standard error. */
  readonly file?: string;
  /**
   * The number of bytes that may wait for a slow disk or reader. Further lines are dropped, counted and reported.
   * Default: 1 MiB.
   */
  readonly maxBuffer?: number;
  /** The destination of lines instead of `file`. */
  readonly sink?: LogSink;
  /** Is given each record that is written. It must not throw, and must not write to this log. Default: nobody is. */
  readonly follow?: ((record: LogRecord) => void) | undefined;
  /** Milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: () => number;
}

/**
 * Opens an error log to standard error, a file, or your own sink such as `MemorySink`. Throws HEMI_FILE if the file
 * cannot be opened.
 */
export function openErrorLog(options: ErrorLogOptions = {}): OwnedErrorLog {
  const now = options.now ?? Date.now;
  const format = options.format === "json" ? formatJson : formatText;
  const sink =
    options.sink ??
    new StreamSink({
      destination: options.file === undefined ? new Descriptor(2) : new LogFile({ title, path: options.file }),
      maxBuffer: options.maxBuffer,
      noteFailure: (error) => tellOnStandardError(options.file ?? "standard error", error),
      noteLost: {
        line: (count) =>
          format({
            time: now(),
            level: "warn",
            path: "",
            message: "lines of this log were lost because they could not be written, or not fast enough",
            details: { count },
          }),
      },
    });
  const { level = "info", follow } = options;
  const followers = new Set(follow === undefined ? [] : [follow]);
  return new SinkLog({ sink, format, now, followers, threshold: logLevels.indexOf(level), levels: [] }, "");
}

const title = "error log";

function tellOnStandardError(name: string, error: unknown): void {
  try {
    writeSync(
      2,
      `hemi: cannot write the ${title} to ${name}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  } catch {
    // Standard error fails, too.
  }
}

interface Shared {
  readonly sink: LogSink;
  readonly format: LogFormat;
  readonly now: () => number;
  readonly followers: Set<(record: LogRecord) => void>;
  /** An index of `logLevels`. */
  readonly threshold: number;
  levels: readonly PathLevel[];
}

class SinkLog implements OwnedErrorLog {
  readonly #shared: Shared;
  readonly #path: string | (() => string);

  constructor(shared: Shared, path: string | (() => string)) {
    this.#shared = shared;
    this.#path = path;
  }

  get path(): string {
    return typeof this.#path === "string" ? this.#path : this.#path();
  }

  debug(message: string, details?: LogDetails): void {
    this.#write("debug", message, details);
  }

  info(message: string, details?: LogDetails): void {
    this.#write("info", message, details);
  }

  warn(message: string, details?: LogDetails): void {
    this.#write("warn", message, details);
  }

  error(message: string, details?: LogDetails): void {
    this.#write("error", message, details);
  }

  enabled(level: LogLevel): boolean {
    const { threshold, levels } = this.#shared;
    const other = levels.length === 0 ? undefined : levelFor(this.path, levels);
    return logLevels.indexOf(level) >= (other === undefined ? threshold : logLevels.indexOf(other));
  }

  withPath(path: string | (() => string)): ErrorLog {
    return new SinkLog(this.#shared, path);
  }

  follow(listener: (record: LogRecord) => void): () => void {
    const { followers } = this.#shared;
    // Each call has an entry of its own, even for the same function.
    const follower = (record: LogRecord): void => listener(record);
    followers.add(follower);
    return () => void followers.delete(follower);
  }

  flush(): Promise<void> {
    return this.#shared.sink.flush();
  }

  flushSync(): void {
    this.#shared.sink.flushSync();
  }

  setLevels(levels: readonly PathLevel[]): void {
    this.#shared.levels = levels;
  }

  relay({ time, level, path, text }: LogEntry): void {
    const record: LogRecord = { time, level, path, message: text, details: undefined, isRelayed: true };
    for (const follow of this.#shared.followers) follow(record);
  }

  reopen(): void {
    this.#shared.sink.reopen();
  }

  close(): Promise<void> {
    return this.#shared.sink.close();
  }

  #write(level: LogLevel, message: string, details: LogDetails | undefined): void {
    if (!this.enabled(level)) return;
    const record = { time: this.#shared.now(), level, path: this.path, message };
    try {
      this.#pass({ ...record, details });
    } catch {
      // A field has a getter that throws. The message is useful without it, and the caller must get no exception.
      this.#pass({ ...record, details: undefined });
    }
  }

  #pass(record: LogRecord): void {
    const { sink, format, followers } = this.#shared;
    sink.write(format(record));
    for (const follow of followers) follow(record);
  }
}
