// A line of the error log for those who show the log: taken apart, and of a bounded length.

import { formatText } from "./format.ts";
import type { LogLevel, LogRecord } from "./record.ts";

/** A line of the error log. */
export interface LogEntry {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The severity. */
  readonly level: LogLevel;
  /** Of the component that has written it; empty for the stage itself. */
  readonly path: string;
  /**
   * The message with its details, which may have several lines; cut at 4,000 characters. Control characters are
   * escaped.
   */
  readonly text: string;
}

/** Throws what a getter of the details throws. */
export function entryOf(record: LogRecord): LogEntry {
  const { time, level, path } = record;
  if (record.isRelayed === true) return { time, level, path, text: record.message };
  const line = formatText({ ...record, path: "" });
  // Behind the time and the level.
  const text = line.slice(line.indexOf(` ${level} `) + level.length + 2).trimEnd();
  return { time, level, path, text: text.length > maxText ? `${text.slice(0, maxText)}…` : text };
}

/** In UTF-16 code units. */
const maxText = 4000;
