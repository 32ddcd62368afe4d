// Logs the standard error output of a program during a request.

import type { ErrorLog } from "../../log/error-log.ts";

export class Complaints {
  readonly #log: ErrorLog;
  readonly #requestId: string;
  #left: number;

  /** `maxSize`: the maximum logged size in bytes, so that a program cannot fill the log. */
  constructor(log: ErrorLog, maxSize: number, requestId: string) {
    this.#log = log;
    this.#left = maxSize;
    this.#requestId = requestId;
  }

  readonly add = (text: string): void => {
    if (this.#left <= 0) return;
    const noted = text.trim().slice(0, this.#left);
    this.#left -= text.length;
    if (noted !== "") this.#log.warn(`the program says: ${noted}`, { requestId: this.#requestId });
    if (this.#left <= 0) {
      this.#log.warn("what else the program says is left out: see maxComplaints", { requestId: this.#requestId });
    }
  };
}
