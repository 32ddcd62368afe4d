// The rates of clients, which several processes count together. A request never waits for another process:
//
//   request ──> tokens leased in advance ──> let through
//          └──> none: by the state of the bucket as it was known last ──> let through, and told afterwards
//                                                                   └──> refused
//   every 10 ms at most ── takeTokens(spent, wanted) ──> store ── the bucket, leased tokens for 250 ms
//
// So a client that spreads its requests over processes may have more for a moment, until the answers are there; the
// bucket is then in debt, and on average nobody gets more than the rate.

import type { BucketTake, TokenRate } from "@hemi/common";
import type { RateLimitStore, TokenDemand, TokenGrant } from "@hemi/internal";
import { BucketTable } from "./bucket-table.ts";

/** What there is to settle with the store for one key. */
interface Account {
  /** Requests that were let through, and that the store does not know of. */
  spent: number;
  /** Requests since the store was asked last, which was at `askedAt`. */
  used: number;
  askedAt: number;
  /** Tokens that the store has given in advance, until `leasedUntil`. */
  leased: number;
  leasedUntil: number;
  /** The question that the store has not answered yet. */
  asked: object | undefined;
}

export interface ClientRatesOptions {
  readonly rate: TokenRate;
  readonly maxKeys: number;
  /** Is called for each key that is forgotten too early. */
  readonly forgot: () => void;
  /** Who else counts; `undefined`: nobody. Read at each use. */
  readonly store: () => RateLimitStore | undefined;
  /** What a key is called in the store. */
  readonly storedKey: (key: string) => string;
  /** The store says that a key is banned for so many milliseconds. */
  readonly banned: (key: string, time: number) => void;
  /** The store did not answer, or answers again. */
  readonly changed: (isDown: boolean, error: unknown) => void;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

export class ClientRates {
  readonly #options: ClientRatesOptions;
  /** What is known of the buckets. */
  readonly #table: BucketTable;
  readonly #accounts = new Map<string, Account>();
  /** Keys to ask for. */
  readonly #due = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #returnTimer: NodeJS.Timeout | undefined;
  #nextAsk = -Infinity;
  /** Questions that the store has not answered. */
  #asking = 0;
  #isClosed = false;
  /** Whether the store does not answer. */
  isDown = false;

  constructor(options: ClientRatesOptions) {
    this.#options = options;
    this.#table = new BucketTable(options);
  }

  set rate(rate: TokenRate) {
    this.#table.rate = rate;
  }

  /** Keys mean something else from now on. */
  clear(): void {
    this.#table.clear();
    this.#accounts.clear();
    this.#due.clear();
  }

  /** Lets a request through (`granted` is 1), or not. */
  take(key: string, now: number): BucketTake {
    if (this.#options.store() === undefined) return this.#table.take(key, now);
    const account = this.#accounts.get(key);
    if (account !== undefined && account.leased > 0 && now < account.leasedUntil) {
      account.leased--;
      account.used++;
      if (account.leased < account.used) this.#askFor(key);
      return this.#withLeased(this.#table.look(key, now), account.leased, 1);
    }
    const taken = this.#table.take(key, now);
    if (taken.granted === 1) this.#spend(key, account);
    return taken;
  }

  /** What `take` would find; nothing is taken. */
  look(key: string, now: number): BucketTake {
    return this.#withLeased(this.#table.look(key, now), this.#accounts.get(key)?.leased ?? 0, 0);
  }

  /**
   * The same with leased tokens. Nobody has more than is in a full bucket, though it may have filled up since they were
   * leased; and where one of them has just been taken, at least that one is missing.
   */
  #withLeased(
    { arrival, granted, remaining, retryAfter, fullAfter }: BucketTake,
    leased: number,
    taken: 0 | 1,
  ): BucketTake {
    const { burst, interval } = this.#table.rate;
    return {
      arrival,
      granted: Math.max(taken, granted),
      remaining: Math.min(burst - taken, remaining + leased),
      retryAfter: leased > 0 ? 0 : retryAfter,
      fullAfter: Math.max(taken * interval, fullAfter - leased * interval),
    };
  }

  /** Asks the store for a key of which nothing is to be taken: whether it is banned. */
  inquire(key: string): void {
    if (this.#accounts.has(key) || this.#accounts.size >= maxAccounts) return;
    this.#accounts.set(key, newAccount(this.#options.now()));
    this.#askFor(key);
  }

  /** Gives leased tokens back. */
  close(): void {
    for (const [key, account] of this.#accounts) {
      if (account.leased === 0 && account.spent === 0) continue;
      account.spent -= account.leased;
      account.leased = 0;
      this.#due.add(key);
    }
    this.#isClosed = true;
    this.#ask();
    clearTimeout(this.#returnTimer);
  }

  #spend(key: string, known: Account | undefined): void {
    // Of more clients in so short a time, each process counts for itself.
    if (known === undefined && this.#accounts.size >= maxAccounts) return;
    const account = known ?? newAccount(this.#options.now());
    if (known === undefined) this.#accounts.set(key, account);
    account.spent++;
    account.used++;
    this.#askFor(key);
  }

  #askFor(key: string): void {
    this.#due.add(key);
    this.#planAsk();
  }

  #planAsk(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    const wait = Math.max(0, this.#nextAsk - this.#options.now());
    this.#timer = setTimeout(() => this.#ask(), wait).unref();
  }

  #ask(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const store = this.#options.store();
    if (store === undefined) return this.#due.clear();
    const question = {};
    let asked = 0;
    // While it is down, one question is enough to find out whether it answers again.
    const max = this.#isClosed ? Infinity : this.isDown ? 1 : maxAsking;
    for (const key of this.#due) {
      if (this.#asking >= max) break;
      const account = this.#accounts.get(key);
      // While the store has one question about a key, what comes in between waits for the answer.
      if (account === undefined || account.asked !== undefined) continue;
      this.#due.delete(key);
      account.asked = question;
      asked++;
      this.#asking++;
      void this.#askStore(store, key, account, question);
    }
    this.#nextAsk = this.#options.now() + (this.isDown ? downInterval : askInterval);
    if (asked === 0) return;
    const giveUp = (): void => {
      for (const account of this.#accounts.values()) {
        if (account.asked === question) this.#failed(account, new Error(`no answer within ${answerTime} ms`));
      }
    };
    // This process may have stood still itself: what has arrived meanwhile is read first.
    const late = setTimeout(() => setImmediate(giveUp), answerTime).unref();
    if (this.#isClosed) clearTimeout(late);
  }

  async #askStore(store: RateLimitStore, key: string, account: Account, question: object): Promise<void> {
    const now = this.#options.now();
    const demand = this.#demandOf(key, account, now);
    account.spent = 0;
    account.used = 0;
    account.askedAt = now;
    try {
      // What throws instead of rejecting is heard later, too: `#ask` must not find the key to be due again.
      const grant = await Promise.resolve().then(() => store.takeTokens(this.#options.storedKey(key), demand));
      if (account.asked === question) this.#answered(key, account, grant);
    } catch (error) {
      if (account.asked === question) this.#failed(account, error);
    }
    this.#asking--;
    // Those for whom there was no room. If it is down, it is asked again, whether requests come or not.
    if (this.#due.size > 0) this.#planAsk();
    if (this.#accounts.get(key) !== account) return;
    const hasMore = account.spent !== 0 || this.isDown || this.#due.has(key);
    if (hasMore) this.#askFor(key);
    else if (account.leased === 0) this.#accounts.delete(key);
  }

  #demandOf(key: string, { spent, used, askedAt, leased }: Account, now: number): TokenDemand {
    const { rate } = this.#table;
    if (used < busyUse) return { rate, spent, wanted: 0, leased };
    // As it went on lately, for so long, and never most of what is there: other processes need some, too.
    const ahead = (used * leaseAhead) / Math.max(askInterval, now - askedAt);
    const { remaining } = this.#table.look(key, now);
    const wanted = Math.floor(Math.min(ahead - leased, remaining / 4));
    return { rate, spent, wanted: Math.max(0, wanted), leased };
  }

  #answered(key: string, account: Account, { granted, fullAfter, bannedFor }: TokenGrant): void {
    const now = this.#options.now();
    account.asked = undefined;
    // What was let through in the meantime, the store does not know.
    this.#table.set(key, now + fullAfter + Math.max(0, account.spent) * this.#table.rate.interval, now);
    if (granted > 0) {
      account.leased += granted;
      account.leasedUntil = now + leaseTime;
      this.#returnTimer ??= setTimeout(() => this.#returnExpired(), returnInterval).unref();
    }
    if (bannedFor > 0) this.#options.banned(key, bannedFor);
    if (!this.isDown) return;
    this.isDown = false;
    this.#options.changed(false, undefined);
  }

  #failed(account: Account, error: unknown): void {
    account.asked = undefined;
    if (this.isDown) return;
    this.isDown = true;
    this.#options.changed(true, error);
  }

  #returnExpired(): void {
    this.#returnTimer = undefined;
    const now = this.#options.now();
    let areLeft = false;
    for (const [key, account] of this.#accounts) {
      if (account.leased === 0) continue;
      if (now < account.leasedUntil) {
        areLeft = true;
        continue;
      }
      account.spent -= account.leased;
      account.leased = 0;
      // So long ago that it says nothing of what comes.
      account.used = 0;
      this.#askFor(key);
    }
    if (areLeft && !this.#isClosed) this.#returnTimer = setTimeout(() => this.#returnExpired(), returnInterval).unref();
  }
}

function newAccount(now: number): Account {
  return { spent: 0, used: 0, askedAt: now, leased: 0, leasedUntil: 0, asked: undefined };
}

/** In milliseconds: the store is asked so often, and while it is down, so seldom. */
const askInterval = 10;
const downInterval = 1000;
/** How long the store may take to answer, in milliseconds. */
const answerTime = 1000;
/** For how long tokens are leased, in milliseconds; a key that is asked for all the time is settled twice in it. */
const leaseAhead = 250;
/** How long leased tokens are kept, in milliseconds. */
const leaseTime = 1000;
const returnInterval = 250;
/** With so many requests since it was asked last, tokens are leased in advance. */
const busyUse = 16;
/** Keys that are settled with the store in one interval. */
const maxAccounts = 10_000;
/** Questions under way at once: those who share the connection to the store need some room, too. */
const maxAsking = 1000;
