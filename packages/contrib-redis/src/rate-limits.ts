// Rate limits in Redis: token buckets, strikes and bans, each key as one hash.
//
//   arrival           the state of the bucket: see the token bucket of @hemi/common
//   since, strikes    the current window of strikes, and where it ends: until
//   ban               when the ban ends
//   at                when all this was stored
//
// All times are of Redis's clock, in milliseconds since the epoch. If it is set back, they move with it.

import type { RateLimitStore, Strike, StrikeCount, TokenDemand, TokenGrant } from "@hemi/internal";
import type { Lane } from "./lane.ts";
import { listOf, numberOf } from "./replies.ts";
import { Script, withTime } from "./script.ts";

export class RedisRateLimits implements RateLimitStore {
  readonly #lane: () => Lane;
  readonly #prefix: string;

  constructor(lane: () => Lane, prefix: string) {
    this.#lane = lane;
    this.#prefix = prefix;
  }

  async takeTokens(key: string, { rate, spent, wanted }: TokenDemand): Promise<TokenGrant> {
    const reply = await this.#lane().run(take, [this.#prefix + key], [rate.interval, rate.burst, spent, wanted]);
    const [granted = NaN, remaining = NaN, retryAfter = NaN, fullAfter = NaN, bannedFor = NaN] =
      listOf(reply).map(numberOf);
    return { granted, remaining, retryAfter, fullAfter, bannedFor };
  }

  async strike(key: string, { count, limit, window, ban }: Strike): Promise<StrikeCount> {
    const reply = await this.#lane().run(strike, [this.#prefix + key], [count, limit, window, ban]);
    const [strikes = NaN, bannedFor = NaN] = listOf(reply).map(numberOf);
    return { strikes, bannedFor };
  }
}

/** Reads the hash; `keep` stores it for as long as any of it counts. */
const withLimits = `${withTime}
local state = redis.call('HMGET', KEYS[1], 'arrival', 'until', 'strikes', 'ban', 'at')
-- Or a ban of a minute lasts for as long as the clock was set back.
local back = math.max(0, tonumber(state[5] or 0) - now)
local arrival = math.max(now, tonumber(state[1] or 0) - back)
local untilTime = tonumber(state[2] or 0) - back
local strikes = untilTime > now and tonumber(state[3] or 0) or 0
local ban = tonumber(state[4] or 0) - back
local bannedFor = math.ceil(math.max(0, ban - now))

local function keep()
  local left = math.ceil(math.max(arrival, ban, strikes > 0 and untilTime or 0) - now)
  local function text(time) return string.format('%.3f', time) end
  -- A full Redis refuses this, also where nothing is to be kept: or it would seem to count again.
  redis.call('HSET', KEYS[1], 'at', text(now))
  if left <= 0 then return redis.call('DEL', KEYS[1]) end
  redis.call('HSET', KEYS[1], 'arrival', text(arrival), 'until', text(untilTime), 'strikes', strikes, 'ban', text(ban))
  redis.call('PEXPIRE', KEYS[1], left)
end
`;

/** ARGV: interval, burst, spent, wanted. The arithmetic is that of the token bucket of @hemi/common. */
const take = new Script(`${withLimits}
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local spent, wanted = tonumber(ARGV[3]), tonumber(ARGV[4])
if bannedFor > 0 then wanted = 0 end
local owed = math.max(now, arrival + spent * interval)
local free = math.floor(burst - (owed - now) / interval + 0.000001)
local granted = math.max(0, math.min(wanted, free))
arrival = owed + granted * interval
local remaining = math.max(0, free - granted)
local retryAfter = remaining > 0 and 0 or math.max(0, arrival - now - (burst - 1) * interval)
keep()
return {granted, remaining, math.ceil(retryAfter), math.ceil(arrival - now), bannedFor}
`);

/** ARGV: count, limit, window, ban. */
const strike = new Script(`${withLimits}
if bannedFor > 0 then return {0, bannedFor} end
if strikes == 0 then untilTime = now + ARGV[3] end
strikes = strikes + ARGV[1]
if strikes >= tonumber(ARGV[2]) then
  strikes = 0
  ban = now + ARGV[4]
  bannedFor = tonumber(ARGV[4])
end
keep()
return {strikes, bannedFor}
`);
