// Tells once that something outside fails, and once that it works again.

import type { ErrorLog } from "./error-log.ts";
import type { LogDetails } from "./record.ts";

/** An outage of something that a component needs, such as a collector. It has two lines in the log, however long. */
export class Outage {
  readonly #log: ErrorLog;
  readonly #messages: { readonly begins: string; readonly ends: string };
  #isUnderWay = false;

  /** `begins`, as in `the collector takes no spans`, is followed by the reason. */
  constructor(log: ErrorLog, messages: { readonly begins: string; readonly ends: string }) {
    this.#log = log;
    this.#messages = messages;
  }

  /** It has failed. Returns whether the outage begins with that. */
  begin(reason: string, details?: LogDetails): boolean {
    if (this.#isUnderWay) return false;
    this.#isUnderWay = true;
    this.#log.warn(`${this.#messages.begins}: ${reason}`, details);
    return true;
  }

  /** It works. Returns whether an outage ends with that. */
  end(details?: LogDetails): boolean {
    if (!this.#isUnderWay) return false;
    this.#isUnderWay = false;
    this.#log.info(this.#messages.ends, details);
    return true;
  }
}
