// Writes buffered log lines when the process exits for any reason, such as process.exit or an uncaught error.

import type { LogSink } from "./sink.ts";

/** Flushes the sink at the exit of the process, until it is released. */
export function flushAtExit(sink: LogSink): void {
  if (sinks.size === 0) process.on("exit", flushAll);
  sinks.add(sink);
}

export function letGo(sink: LogSink): void {
  if (sinks.delete(sink) && sinks.size === 0) process.off("exit", flushAll);
}

/** In the order of opening. */
const sinks = new Set<LogSink>();

/** The error log is opened first, and receives reports of lines that the others lose. */
function flushAll(): void {
  const until = performance.now() + patience;
  for (const sink of [...sinks].reverse()) sink.flushSync(until);
}

/** The total wait for pipes whose readers do not read, in milliseconds. */
const patience = 500;
