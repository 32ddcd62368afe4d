// A line of a log for those who send it elsewhere: to syslog, to a collector.

import { entryOf } from "./log-entry.ts";
import type { LogLevel, LogRecord } from "./record.ts";

/** A line of a log. */
export interface ExportedLine {
  /** The log, by the name of its prop. */
  readonly log: "errorLog" | "accessLog" | "connLog";
  /** When it was written, in milliseconds since the epoch. */
  readonly time: number;
  /** The severity; `info` for lines of access logs and connection logs. */
  readonly level: LogLevel;
  /** Of the component that has written it; empty for the stage itself. */
  readonly path: string;
  /** The line without its end. Text of peers in it is escaped. */
  readonly text: string;
  /** The error that a line of the error log is about, with its stack and causes, in several lines; empty: none. */
  readonly cause: string;
  /** 32 hexadecimal digits; empty: it belongs to no trace. */
  readonly traceId: string;
}

/** A record of the error log as a line. Throws what a getter of the details throws. */
export function exportedRecord(record: LogRecord): ExportedLine {
  const { time, level, path, text } = entryOf(record);
  const end = text.indexOf("\n");
  const [first, cause] = end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end + 1)];
  return { log: "errorLog", time, level, path, text: first, cause, traceId: "" };
}
