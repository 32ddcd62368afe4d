// Writes what logs still hold when the process exits, whoever ends it and for whatever reason: process.exit, or a throw that nothing catches.

import type { LogSink } from "./sink.ts";

/** Has a sink flushed at the exit of the process, until it is let go of. */
export function flushAtExit(sink: LogSink): void {
  if (sinks.size === 0) process.on("exit", flushAll);
  sinks.add(sink);
}

export function letGo(sink: LogSink): void {
  if (sinks.delete(sink) && sinks.size === 0) process.off("exit", flushAll);
}

/** In the order in which they were opened. */
const sinks = new Set<LogSink>();

/** The error log, which is opened first, is told of what the others lose. */
function flushAll(): void {
  const until = performance.now() + patience;
  for (const sink of [...sinks].reverse()) sink.flushSync(until);
}

/** How long all of them together wait for readers of pipes that do not read, in ms. */
const patience = 500;
