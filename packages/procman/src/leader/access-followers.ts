// Those who follow the traffic: each gets the access lines of all workers that its filter lets through. Whoever does
// not ask for a while follows no more.

import { HemiError, type AccessFilter } from "@hemi/hemi/base";
import type { FollowedLines, Following } from "../channel/calls.ts";
import { LineBuffer, type BufferedLines } from "../observe/line-buffer.ts";

interface Follower {
  readonly following: Following;
  readonly buffer: LineBuffer;
  /** Ends it when nobody asks. */
  expiry: NodeJS.Timeout;
  /** For those who wait for lines. */
  awaited: PromiseWithResolvers<void> | undefined;
}

export class AccessFollowers {
  readonly #followers = new Map<number, Follower>();
  readonly #changed: () => void;
  #lastId = 0;
  #heir: ((lines: FollowedLines) => void) | undefined;

  /** `changed`: others follow from now on. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get all(): readonly Following[] {
    return [...this.#followers.values()].map(({ following }) => following);
  }

  /** Returns the id of a new one. Throws HEMI_PROCESS if there are too many. */
  open(filter: AccessFilter): number {
    if (this.#followers.size >= maxFollowers) {
      throw new HemiError("HEMI_PROCESS", `${maxFollowers} follow the traffic already: wait until one of them ends`);
    }
    const id = ++this.#lastId;
    this.#add({ id, filter });
    this.#changed();
    return id;
  }

  /** Goes on with those of another leader, under the same ids. Calls nobody back. */
  restore(followings: readonly Following[]): void {
    for (const following of followings) {
      this.#add(following);
      this.#lastId = Math.max(this.#lastId, following.id);
    }
  }

  /** From now on, another leader has them: it gets the lines that come, and those that nobody waits for here. */
  passOn(heir: (lines: FollowedLines) => void): void {
    this.#heir = heir;
    for (const { following, buffer, awaited } of this.#followers.values()) {
      if (awaited === undefined && !buffer.isEmpty) heir({ follower: following.id, ...buffer.take() });
    }
  }

  #add(following: Following): void {
    const { id } = following;
    this.#followers.set(id, { following, buffer: new LineBuffer(), expiry: this.#expiry(id), awaited: undefined });
  }

  /** Lines of a worker. Those for one who follows no more are forgotten. */
  take(taken: FollowedLines): void {
    if (this.#heir !== undefined) return this.#heir(taken);
    const { follower: id, lines, dropped } = taken;
    const follower = this.#followers.get(id);
    if (follower === undefined) return;
    for (const line of lines) follower.buffer.add(line);
    follower.buffer.missed(dropped);
    follower.awaited?.resolve();
  }

  /** The next lines; after a while without any: none. Rejects with HEMI_USAGE for one who does not follow. */
  async next(id: number): Promise<BufferedLines> {
    const follower = this.#followers.get(id);
    if (follower === undefined) {
      throw new HemiError(
        "HEMI_USAGE",
        `nobody ${id} follows: who does not ask for ${expiryTime / 1000} s is forgotten`,
      );
    }
    clearTimeout(follower.expiry);
    if (follower.buffer.isEmpty) await this.#lines(follower);
    clearTimeout(follower.expiry);
    if (this.#followers.has(id)) follower.expiry = this.#expiry(id);
    return follower.buffer.take();
  }

  close(): void {
    for (const { expiry, awaited } of this.#followers.values()) {
      clearTimeout(expiry);
      awaited?.resolve();
    }
    this.#followers.clear();
  }

  async #lines(follower: Follower): Promise<void> {
    follower.awaited ??= Promise.withResolvers();
    const { promise, resolve } = follower.awaited;
    const timer = setTimeout(resolve, waitTime);
    await promise;
    clearTimeout(timer);
    follower.awaited = undefined;
  }

  #expiry(id: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#followers.delete(id);
      this.#changed();
    }, expiryTime).unref();
  }
}

const maxFollowers = 16;
/** In ms. */
const waitTime = 10_000;
const expiryTime = 30_000;
