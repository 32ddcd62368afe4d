// Clients that ask again from the same port, such as other resolvers: their sessions are kept for a moment, because a
// session costs more than an answer. Most clients take another port for each question; theirs end with the answer.

import { LRUCache } from "lru-cache";
import type { UdpsSession } from "@hemi/internal";

export class Regulars {
  /** Who has asked lately. */
  readonly #recent = new LRUCache<string, true>({ max: maxRecent });
  #kept = 0;

  /** Whether a session that begins is to be kept; `left` has to follow then. */
  admit({ srcHost, srcPort }: Pick<UdpsSession, "srcHost" | "srcPort">): boolean {
    const key = `${srcHost} ${srcPort}`;
    const isKept = this.#kept < maxKept && this.#recent.has(key);
    if (isKept) this.#kept++;
    else this.#recent.set(key, true);
    return isKept;
  }

  /** The session is over. */
  left(): void {
    this.#kept--;
  }
}

/** Not props: a flood of forged addresses must not fill the sessions of a router, nor memory. */
const maxKept = 1000;
const maxRecent = 1000;

/** In milliseconds. Not a prop: how long a session is kept after an answer. */
export const keptTime = 1000;
