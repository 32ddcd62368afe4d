// What goes wrong with Redis: an error for each command, and a pair of log lines for each outage.

import type { ErrorLog } from "@hemi/internal";

/** Redis did not answer, refused a command, or answered what was not expected. */
export class RedisFailure extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "RedisFailure";
  }
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Tells the log when an outage begins and when it is over, each once. */
export class Outage {
  readonly #log: ErrorLog;
  readonly #lines: { readonly begins: string; readonly ends: string };
  #isOn = false;

  /** `begins` and `ends` are the lines of the log. */
  constructor(log: ErrorLog, lines: { readonly begins: string; readonly ends: string }) {
    this.#log = log;
    this.#lines = lines;
  }

  begin(error: unknown): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#log.warn(this.#lines.begins, { error });
  }

  end(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#log.info(this.#lines.ends);
  }
}
