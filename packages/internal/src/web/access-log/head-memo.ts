// Remembers what the lines of a connection's last request tell of its head: clients ask for the same over and over.

import type { Peer } from "../../net/peer.ts";
import type { Request } from "../request/request.ts";
import { flat } from "../flat.ts";

/** The parts of a line that follow from the head and the connection alone. */
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

  /** `make` gives the same for the same head of a connection. */
  constructor(make: (req: Request) => HeadTexts) {
    this.#make = make;
  }

  get(req: Request): HeadTexts {
    const { peer, headNumber, srcHost, srcPort } = req;
    if (headNumber === undefined) return this.#make(req);
    const last = this.#byPeer.get(peer);
    // What stands before us may be trusted no more, after a reload.
    if (last?.headNumber === headNumber && last.srcHost === srcHost && last.srcPort === srcPort) return last;
    const { before, behind } = this.#make(req);
    const texts = { before: flat(before), behind: flat(behind) };
    if (before.length + behind.length <= maxRemembered)
      this.#byPeer.set(peer, { ...texts, headNumber, srcHost, srcPort });
    return texts;
  }
}

/** In characters, for each connection that is open. */
const maxRemembered = 1024;
