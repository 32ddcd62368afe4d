// The leaders that this one takes over from, or hands over to. Until the older one has ended, the workers of both are
// one program: they hear each other's messages, share secrets, and are counted together.

import type { Broadcast } from "../channel/calls.ts";
import type { Predecessor } from "./predecessor.ts";
import type { ProgramCounts } from "./program-counts.ts";
import type { Successor } from "./successor.ts";

export type OtherLeader = Predecessor | Successor;

export class OtherLeaders {
  readonly #all = new Set<OtherLeader>();

  get all(): readonly OtherLeader[] {
    return [...this.#all];
  }

  add(leader: OtherLeader): void {
    this.#all.add(leader);
  }

  delete(leader: OtherLeader): void {
    this.#all.delete(leader);
  }

  /** Counts what an old leader and its workers count, until they have ended. */
  await(predecessor: Predecessor, counts: ProgramCounts): void {
    this.add(predecessor);
    void predecessor.gone.then(() => {
      this.delete(predecessor);
      counts.ended(predecessor);
    });
  }

  /** A message for all workers but those of `from`. */
  deliver(message: Broadcast, from: object): void {
    for (const leader of this.#all) if (leader !== from) leader.deliver(message);
  }

  tellSecret(name: string, secret: string): void {
    for (const leader of this.#all) leader.tellSecret(name, secret);
  }
}
