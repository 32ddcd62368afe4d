// Sends the access lines of this worker to those who follow the traffic: in batches, the next one after the leader has
// taken the one before.

import type { AccessFeed } from "@hemi/hemi";
import type { FollowedLines, Following } from "../channel/calls.ts";
import { LineBuffer } from "../observe/line-buffer.ts";

/** Settles when the leader has taken them. Rejects if it is gone. */
export type SendLines = (lines: FollowedLines) => Promise<unknown>;

export class FollowedTraffic {
  readonly #feed: AccessFeed;
  readonly #send: SendLines;
  readonly #followers = new Map<number, Follower>();

  constructor(feed: AccessFeed, send: SendLines) {
    this.#feed = feed;
    this.#send = send;
  }

  /** These follow from now on, and no others. */
  replace(followings: readonly Following[]): void {
    const wanted = new Set(followings.map(({ id }) => id));
    for (const [id, follower] of this.#followers) {
      if (wanted.has(id)) continue;
      follower.stop();
      this.#followers.delete(id);
    }
    for (const following of followings) {
      if (this.#followers.has(following.id)) continue;
      this.#followers.set(following.id, new Follower(following, this.#feed, this.#send));
    }
  }
}

class Follower {
  readonly #id: number;
  readonly #send: SendLines;
  readonly #buffer = new LineBuffer();
  readonly #unfollow: () => void;
  #isSending = false;
  #timer: NodeJS.Timeout | undefined;

  constructor({ id, filter }: Following, feed: AccessFeed, send: SendLines) {
    this.#id = id;
    this.#send = send;
    this.#unfollow = feed.follow(filter, (line) => {
      this.#buffer.add(line);
      this.#sendSoon();
    });
  }

  stop(): void {
    this.#unfollow();
    clearTimeout(this.#timer);
  }

  #sendSoon(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    this.#timer = setTimeout(() => void this.#sendNow(), gatherTime).unref();
  }

  async #sendNow(): Promise<void> {
    // Without a leader, the worker ends soon.
    await this.#send({ follower: this.#id, ...this.#buffer.take() }).catch(() => {});
    this.#isSending = false;
    if (!this.#buffer.isEmpty) this.#sendSoon();
  }
}

/** In ms: how long lines are gathered. */
const gatherTime = 50;
