// What the cachers of one folder have in common in this process. A reload replaces a cacher while fetches still store
// with it: a purge of either one holds for both, and only one of them evicts.
//
//   cacher before the reload ──┐
//                              ├── writes, purges, who is in charge
//   cacher after the reload  ──┘

import { OpenWrites } from "../open-writes.ts";
import { PendingPurges } from "./pending-purges.ts";

interface SharedState {
  readonly writes: OpenWrites;
  readonly purges: PendingPurges;
  /** The cachers from `join` to `leave`. */
  readonly users: Set<FolderUse>;
  /** Those that have taken charge, the last one at the end. */
  readonly inCharge: Set<FolderUse>;
}

/** The part of one cacher in it. */
export class FolderUse {
  readonly #path: string;
  readonly #forget: () => void;
  #state: SharedState = {
    writes: new OpenWrites(),
    purges: new PendingPurges(),
    users: new Set(),
    inCharge: new Set(),
  };

  /** `path`: absolute. `forget` is called when what the cacher remembers of files may be purged. */
  constructor(path: string, forget: () => void) {
    this.#path = path;
    this.#forget = forget;
  }

  /** From now on, it shares with others. */
  join(): void {
    this.#state = states.get(this.#path) ?? this.#state;
    states.set(this.#path, this.#state);
    this.#state.users.add(this);
  }

  /** Ends `join`. */
  leave(): void {
    const { users, inCharge } = this.#state;
    users.delete(this);
    inCharge.delete(this);
    if (users.size === 0 && states.get(this.#path) === this.#state) states.delete(this.#path);
  }

  /** The writes under way. */
  get writes(): OpenWrites {
    return this.#state.writes;
  }

  /** The purges under way. */
  get purges(): PendingPurges {
    return this.#state.purges;
  }

  /** Lets all cachers forget what they remember. */
  forgetAll(): void {
    for (const user of this.#state.users) user.#forget();
  }

  /** From now on, this cacher evicts and tidies, instead of the one before it. */
  takeCharge(): void {
    this.#state.inCharge.add(this);
  }

  get isInCharge(): boolean {
    return [...this.#state.inCharge].at(-1) === this;
  }
}

/** By path. */
const states = new Map<string, SharedState>();
