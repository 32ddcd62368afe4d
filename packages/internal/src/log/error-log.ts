// The error log: what a component has to say about itself, to standard error or a file.

import { writeSync } from "node:fs";
import { formatJson, formatText } from "./format.ts";
import type { LogFormat } from "./format.ts";
import { logLevels } from "./record.ts";
import type { LogDetails, LogLevel } from "./record.ts";
import type { LogSink } from "./sink.ts";
import { Descriptor } from "./descriptor.ts";
import { LogFile } from "./log-file.ts";
import { StreamSink } from "./stream-sink.ts";

/** What components get. No method ever throws, waits, or lets text from a peer forge a record. */
export interface ErrorLog {
  /** The path that stands in every record; empty for the stage itself. */
  readonly path: string;
  /** Writes a line that matters to those who look for a fault. */
  debug(message: string, details?: LogDetails): void;
  /** Writes a line on what happens in normal operation. */
  info(message: string, details?: LogDetails): void;
  /** Writes a line on what someone should look at. */
  warn(message: string, details?: LogDetails): void;
  /** Writes a line on what has failed. */
  error(message: string, details?: LogDetails): void;
  /** Whether records of this level are written: ask before working out an expensive message. */
  enabled(level: LogLevel): boolean;
  /** The same log for the component with this path (a whole path, not one to be appended); a function where the path may change. */
  withPath(path: string | (() => string)): ErrorLog;
}

/** What the one who opened it holds, too. */
export interface OwnedErrorLog extends ErrorLog {
  /** Resolves when what was written so far is with the system. */
  flush(): Promise<void>;
  /** Writes out what waits, at once: for the end of a process. */
  flushSync(): void;
  /** Goes on in a file of the same name, opened at once: the present one has been moved. Nothing for standard error. */
  reopen(): void;
  /** Waits until everything is written, two seconds at most; records written afterwards are dropped. */
  close(): Promise<void>;
}

/** Where an error log goes, in which form, and from which level on. */
export interface ErrorLogOptions {
  /** Records below it are not written. Default: `info`. */
  readonly level?: LogLevel;
  /** `text` for people, `json` for one JSON object a line. Default: `text`. */
  readonly format?: "text" | "json";
  /** A path, created with its folders and appended to. Default: standard error. */
  readonly file?: string;
  /** How many bytes may wait for a slow disk or reader; what goes beyond is dropped, counted and told. Default: 1 MiB. */
  readonly maxBuffer?: number;
  /** Where lines go instead of `file`. */
  readonly sink?: LogSink;
  /** Milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: () => number;
}

/** Opens an error log: to standard error, a file, or a sink of your own such as `MemorySink`. Throws HEMI_FILE if the file cannot be opened. */
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
  return new SinkLog({ sink, format, now, threshold: logLevels.indexOf(options.level ?? "info") }, "");
}

const title = "error log";

function tellOnStandardError(name: string, error: unknown): void {
  try {
    writeSync(
      2,
      `hemi: cannot write the ${title} to ${name}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  } catch {
    // Standard error fails as well.
  }
}

interface Shared {
  readonly sink: LogSink;
  readonly format: LogFormat;
  readonly now: () => number;
  /** An index of `logLevels`. */
  readonly threshold: number;
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
    return logLevels.indexOf(level) >= this.#shared.threshold;
  }

  withPath(path: string | (() => string)): ErrorLog {
    return new SinkLog(this.#shared, path);
  }

  flush(): Promise<void> {
    return this.#shared.sink.flush();
  }

  flushSync(): void {
    this.#shared.sink.flushSync();
  }

  reopen(): void {
    this.#shared.sink.reopen();
  }

  close(): Promise<void> {
    return this.#shared.sink.close();
  }

  #write(level: LogLevel, message: string, details: LogDetails | undefined): void {
    if (!this.enabled(level)) return;
    const { sink, format, now } = this.#shared;
    try {
      sink.write(format({ time: now(), level, path: this.path, message, details }));
    } catch {
      // A field with a getter that throws. The message is worth having without it, and no exception in the caller.
      sink.write(format({ time: Date.now(), level, path: this.path, message, details: undefined }));
    }
  }
}
