// The locks that all workers share, in the memory of the leader, which frees those of a worker that has ended.

import { HeldLock, type Lock, type LockOptions, type LockService } from "@hemi/hemi";
import type { Channel } from "../channel/channel.ts";
import type { LeaderCalls, WorkerCalls } from "../channel/calls.ts";

export class LeaderLocks implements LockService {
  readonly #leader: Channel<LeaderCalls, WorkerCalls>;

  constructor(leader: Channel<LeaderCalls, WorkerCalls>) {
    this.#leader = leader;
  }

  async acquireLock(name: string, { ttl }: LockOptions): Promise<Lock | undefined> {
    const askedAt = performance.now();
    const leader = this.#leader;
    const token = await leader.call("acquireLock", { name, ttl });
    if (token === null) return undefined;
    return new HeldLock({
      name,
      token,
      ttl,
      askedAt,
      renew: () => leader.call("renewLock", { name, token, ttl }),
      release: () => leader.call("releaseLock", { name, token }),
    });
  }
}
