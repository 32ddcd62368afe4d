// redis: the connection to Redis, for staters, cachers, rate limits and locks.

import type { ConnectionOptions } from "node:tls";
import {
  type Context,
  defineAddon,
  type Lock,
  type LockOptions,
  type LockService,
  lockService,
  nodeTlsOptions,
  type Part,
  PropError,
  type RateLimitStore,
  rateLimitStore,
  type Strike,
  type StrikeCount,
  type TokenDemand,
  type TokenGrant,
} from "@hemi/internal";
import { makeClient } from "./client.ts";
import { messageOf } from "./failure.ts";
import { Lane } from "./lane.ts";
import { type RedisLink, redisLink } from "./link.ts";
import { RedisLocks } from "./locks.ts";
import { RedisRateLimits } from "./rate-limits.ts";
import { checkRedis, redisProps, type RedisProps } from "./redis-props.ts";

/**
 * Is connected to Redis (or Valkey), one server, the master that Sentinels name, or a cluster. Staters and cachers name
 * it by `redis`; it is also a store of rate limits and a lock service for several machines. A program starts although
 * Redis is down: what needs it says by its own props what happens then. A wrong password, and what is no Redis at all,
 * are errors at the start.
 */
export const redis = defineAddon({
  sign: "redis",
  props: redisProps,
  offers: [redisLink, rateLimitStore, lockService],
  check: checkRedis,
  create: (context): Part & RedisLink & RateLimitStore & LockService => new RedisAddon(context),
});

class RedisAddon implements Part, RedisLink, RateLimitStore, LockService {
  readonly #context: Context<RedisProps>;
  readonly #lanes = new Map<string, Lane>();
  readonly #limits: RedisRateLimits;
  readonly #locks: RedisLocks;
  #tls: ConnectionOptions | undefined;
  #isClosed = false;

  constructor(context: Context<RedisProps>) {
    this.#context = context;
    const requests = () => this.lane("requests");
    this.#limits = new RedisRateLimits(requests, `${this.keyPrefix}limit:`);
    this.#locks = new RedisLocks(requests, `${this.keyPrefix}lock:`);
  }

  // ---- life cycle ----

  examine(): void {
    nodeTlsOptions(this.#context.props, []);
  }

  async prepare(): Promise<void> {
    const { props, log } = this.#context;
    this.#tls = nodeTlsOptions(props, []);
    const lane = this.#makeLane("requests");
    const failure = await lane.open();
    if (failure === undefined) return;
    const message = messageOf(failure);
    const cause = { cause: failure };
    if (/^(?:WRONGPASS|NOAUTH|ERR invalid password)/.test(message)) {
      throw new PropError("password", "HEMI_USAGE", `Redis refuses it: ${message}`, cause);
    }
    if (/^(?:Protocol error|Unknown RESP type)/.test(message)) {
      throw new PropError("addresses", "HEMI_USAGE", `what listens there is no Redis: ${message}`, cause);
    }
    log.warn("the program starts without Redis", { error: failure });
  }

  revise(next: RedisProps, changed: ReadonlySet<string>): () => void {
    const isTls = [...changed].some((name) => name.startsWith("tls"));
    if (!isTls) return () => {};
    let other = nodeTlsOptions(next, []);
    return () => {
      [this.#tls, other] = [other, this.#tls];
      for (const lane of this.#lanes.values()) void lane.open();
    };
  }

  shutdown(): void {
    this.#isClosed = true;
    for (const lane of this.#lanes.values()) lane.close();
  }

  // ---- what it offers ----

  get keyPrefix(): string {
    return this.#context.props.keyPrefix;
  }

  lane(name: "requests" | "contents"): Lane {
    const made = this.#lanes.get(name);
    if (made !== undefined) return made;
    const lane = this.#makeLane(name);
    if (!this.#isClosed) void lane.open();
    return lane;
  }

  takeTokens(key: string, demand: TokenDemand): Promise<TokenGrant> {
    return this.#limits.takeTokens(key, demand);
  }

  strike(key: string, strike: Strike): Promise<StrikeCount> {
    return this.#limits.strike(key, strike);
  }

  acquireLock(name: string, options: LockOptions): Promise<Lock | undefined> {
    return this.#locks.acquireLock(name, options);
  }

  #makeLane(name: string): Lane {
    const { props, log } = this.#context;
    const lane = new Lane({ makeClient: () => makeClient(props, this.#tls), limits: props, log });
    this.#lanes.set(name, lane);
    return lane;
  }
}
