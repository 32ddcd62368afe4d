// Strikes against clients, and their bans. Both are counted in a store; a ban is known to the other workers at once,
// and to other machines when they ask the store for the client next.

import { RecentMap } from "@hemi/common";
import { MemoryRateLimits, type RateLimitStore, type Strike, type Workers } from "@hemi/internal";

export interface BansOptions {
  readonly workers: Workers;
  /** The topic of messages to the other workers; `undefined`: each worker has its own bans. */
  readonly topic: () => string | undefined;
  /** Who else counts; `undefined`: nobody. Read at each use. */
  readonly store: () => RateLimitStore | undefined;
  /** What a key is called in the store. */
  readonly storedKey: (key: string) => string;
  /** How strikes lead to a ban. */
  readonly rule: () => Omit<Strike, "count">;
  /** Whether this process counts by itself while the store does not answer. */
  readonly isLocalWhenDown: () => boolean;
  /** A ban has begun here. */
  readonly began: (key: string, time: number) => void;
  /** Strikes could not be counted in the store. */
  readonly failed: (error: unknown) => void;
  readonly maxKeys: number;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

export class Bans {
  readonly #options: BansOptions;
  /** When bans end. */
  readonly #ends: RecentMap<string, number>;
  /** Of keys, since the store was told. */
  #strikes = new Map<string, number>();
  readonly #own: MemoryRateLimits;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the store is being told. */
  #isTelling = false;
  #unsubscribe: (() => void) | undefined;

  constructor(options: BansOptions) {
    this.#options = options;
    const { maxKeys, now } = options;
    this.#ends = new RecentMap(maxKeys);
    this.#own = new MemoryRateLimits({ now, maxKeys });
  }

  open(): void {
    const topic = this.#options.topic();
    if (topic === undefined) return;
    this.#unsubscribe = this.#options.workers.subscribe(topic, (news) => {
      if (isNews(news)) this.note(news[0], news[1]);
    });
  }

  close(): void {
    this.#unsubscribe?.();
    clearTimeout(this.#timer);
  }

  clear(): void {
    this.#ends.clear();
    this.#strikes.clear();
  }

  /** In milliseconds, how long a client is still banned; 0: it is not. */
  timeOf(key: string, now: number): number {
    const end = this.#ends.get(key);
    if (end === undefined) return 0;
    if (end > now) return end - now;
    this.#ends.delete(key);
    return 0;
  }

  /** A client is banned for so many milliseconds, somebody else says. */
  note(key: string, time: number): void {
    this.#ends.set(key, this.#options.now() + time);
  }

  strike(key: string): void {
    const count = this.#strikes.get(key) ?? 0;
    if (count === 0 && this.#strikes.size >= maxStruck) return;
    this.#strikes.set(key, count + 1);
    if (!this.#isTelling) this.#planTell();
  }

  #planTell(): void {
    // A flood of strikes is one message for each client and interval.
    this.#timer ??= setTimeout(() => this.#tell(), strikeInterval).unref();
  }

  #tell(): void {
    this.#timer = undefined;
    const strikes = [...this.#strikes];
    this.#strikes = new Map();
    const store = this.#options.store() ?? this.#own;
    this.#isTelling = true;
    void this.#countAll(store, strikes).then(() => {
      this.#isTelling = false;
      if (this.#strikes.size > 0) this.#planTell();
    });
  }

  /** In portions: those who share the connection to the store need some room, too. */
  async #countAll(store: RateLimitStore, strikes: readonly (readonly [key: string, count: number])[]): Promise<void> {
    for (let at = 0; at < strikes.length; at += strikesAtOnce) {
      await Promise.all(strikes.slice(at, at + strikesAtOnce).map(([key, count]) => this.#count(store, key, count)));
    }
  }

  async #count(store: RateLimitStore, key: string, count: number): Promise<void> {
    const strike = { ...this.#options.rule(), count };
    try {
      this.#counted(key, (await store.strike(this.#options.storedKey(key), strike)).bannedFor);
    } catch (error) {
      this.#options.failed(error);
      if (this.#options.isLocalWhenDown()) this.#counted(key, this.#own.strikeNow(key, strike).bannedFor);
    }
  }

  #counted(key: string, bannedFor: number): void {
    const { now, topic, workers, began } = this.#options;
    if (bannedFor === 0 || this.timeOf(key, now()) > 0) return;
    this.note(key, bannedFor);
    began(key, bannedFor);
    const told = topic();
    if (told !== undefined && workers.count > 1) workers.broadcast(told, [key, bannedFor]);
  }
}

function isNews(news: unknown): news is readonly [key: string, time: number] {
  return Array.isArray(news) && typeof news[0] === "string" && typeof news[1] === "number";
}

/** In milliseconds. */
const strikeInterval = 50;
/** Clients with strikes in one interval; those beyond go unpunished for it. */
const maxStruck = 10_000;
/** Clients whose strikes the store is told of at once. */
const strikesAtOnce = 500;
