// Locks in Redis. Each name is a hash with the fencing token of its latest holder, how long that one may have it, and
// when its time is over.
//
// A token is the time in microseconds, or one more than the last one: tokens rise even if Redis has lost its data. The
// replica that takes over after a failover may not know the latest holder: what two holders at once would destroy must
// be guarded by the token.

import { HeldLock, type Lock, type LockOptions, type LockService } from "@hemi/internal";
import type { Lane } from "./lane.ts";
import { numberOf } from "./replies.ts";
import { Script, withTime } from "./script.ts";

export class RedisLocks implements LockService {
  readonly #lane: () => Lane;
  readonly #prefix: string;

  constructor(lane: () => Lane, prefix: string) {
    this.#lane = lane;
    this.#prefix = prefix;
  }

  async acquireLock(name: string, { ttl }: LockOptions): Promise<Lock | undefined> {
    const keys = [this.#prefix + name];
    const askedAt = performance.now();
    const token = numberOf(await this.#lane().run(acquire, keys, [ttl]));
    if (token === 0) return undefined;
    return new HeldLock({
      name,
      token,
      ttl,
      askedAt,
      renew: async () => numberOf(await this.#lane().run(renew, keys, [ttl, token])) === 1,
      release: async () => {
        await this.#lane().run(release, keys, [token]);
      },
    });
  }
}

/** ARGV: ttl. Returns the token as a text, or "0". */
const acquire = new Script(`${withTime}
local held = redis.call('HMGET', KEYS[1], 'token', 'until', 'ttl')
local left = tonumber(held[2] or 0) - now
-- With far more than there ever was, the clock was set back, and the holder may be gone: one that is there renews it.
if left > 0 and left <= 2 * tonumber(held[3] or 0) then return '0' end
local token = string.format('%.0f', math.max(tonumber(held[1] or 0) + 1, now * 1000))
redis.call('HSET', KEYS[1], 'token', token, 'until', string.format('%.3f', now + ARGV[1]), 'ttl', ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[1]) + 86400000)
return token
`);

/**
 * ARGV: ttl, token. Returns 0 if it is lost. Whether it has expired says nothing if the clock has jumped: under its
 * token nobody else can have it.
 */
const renew = new Script(`${withTime}
local held = redis.call('HMGET', KEYS[1], 'token', 'until')
if held[1] ~= ARGV[2] or held[2] == '0' then return 0 end
redis.call('HSET', KEYS[1], 'until', string.format('%.3f', now + ARGV[1]))
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[1]) + 86400000)
return 1
`);

/** ARGV: token. The token stays, for the next one to be higher. */
const release = new Script(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'until', '0')
return 1
`);
