// Caches the parts of log lines that depend on the request head: clients often repeat the same head.

import type { Peer } from "../../net/peer.ts";
import type { Request } from "../request/request.ts";
import { flat } from "../../log/lines/flat.ts";

/** The parts of a line that depend on the head and the connection only. */
export interface HeadTexts {
  readonly before: string;
  readonly behind: string;
}

interface Remembered extends HeadTexts {
  readonly headNumber: number;
  readonly srcHost: string;
  readonly srcPort: number;
}

export class HeadMemo {
  readonly #make: (req: Request) => HeadTexts;
  readonly #byPeer = new WeakMap<Peer, Remembered>();

  /** `make` must return the same for the same head of a connection. */
  constructor(make: (req: Request) => HeadTexts) {
    this.#make = make;
  }

  get(req: Request): HeadTexts {
    const { peer, headNumber, srcHost, srcPort } = req;
    if (headNumber === undefined) return this.#make(req);
    const last = this.#byPeer.get(peer);
    // After a reload, the proxy may no longer be trusted.
    if (last?.headNumber === headNumber && last.srcHost === srcHost && last.srcPort === srcPort) return last;
    const { before, behind } = this.#make(req);
    const texts = { before: flat(before), behind: flat(behind) };
    if (before.length + behind.length <= maxRemembered)
      this.#byPeer.set(peer, { ...texts, headNumber, srcHost, srcPort });
    return texts;
  }
}

/** In characters, for each open connection. */
const maxRemembered = 1024;
