// What the log tells of a session with a client: counts, never a name that was asked.

import { rcodes } from "../message/codes.ts";

export class SessionCounts {
  queries = 0;
  /** Queries without a reply, or with a shortened one, because there were too many. */
  limited = 0;
  #errors = 0;

  /** The client gets this. That a name does not exist is no error. */
  replied(message: Buffer): void {
    const rcode = message.readUInt16BE(2) & 0xf;
    if (rcode !== rcodes.noError && rcode !== rcodes.noSuchName) this.#errors++;
  }

  get notes(): Readonly<Record<string, number>> {
    return { queries: this.queries, errors: this.#errors, limited: this.limited };
  }
}
