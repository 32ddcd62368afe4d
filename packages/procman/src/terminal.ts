// The terminal of the process.

import { closeSync, openSync } from "node:fs";
import { isatty } from "node:tty";

/**
 * Call it at the start. Returns a function that says whether the process had a terminal which is gone by now. When a
 * terminal closes, both the system and the shell may send SIGHUP.
 */
export function terminalWatch(): () => boolean {
  const isInTerminal = isatty(0);
  return () => isInTerminal && !hasTerminal();
}

/** Writes to standard error. If it is closed, or its disk is full, the text is lost and the program goes on. */
export function writeToPeople(text: string): void {
  const { stderr } = process;
  if (!stderr.listeners("error").includes(ignore)) stderr.on("error", ignore);
  stderr.write(text);
}

function ignore(): void {}

function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
