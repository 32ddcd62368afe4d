// The scripts of redisStater. A session is one hash, so that each of them is one step:
//
//   hash       of the secret in the token
//   created    in milliseconds since the epoch, by the clock of Redis
//   version    counts the changes of entries
//   eNAME      VERSION:JSON
//
// The key expires when the session has been idle for too long, or has lasted for too long.

import { Script, withTime } from "../script.ts";

/** `touch(created)` moves the end of the session; false: it is over. ARGV: hash, idleTimeout, maxLifetime. */
const withSession = `${withTime}
local key = KEYS[1]
local idle, lifetime = tonumber(ARGV[2]), tonumber(ARGV[3])

local function isKnown()
  return redis.call('HGET', key, 'hash') == ARGV[1]
end

local function touch(created)
  local left = math.ceil(math.min(idle, created + lifetime - now))
  if left <= 0 then
    redis.call('DEL', key)
    return false
  end
  -- Not at each request: a hundredth of the time is close enough.
  if math.abs(left - redis.call('PTTL', key)) > idle / 100 then redis.call('PEXPIRE', key, left) end
  return true
end
`;

/** Returns the fields of the hash, or nothing. */
export const findSession = new Script(`${withSession}
if not isKnown() or not touch(tonumber(redis.call('HGET', key, 'created'))) then return false end
return redis.call('HGETALL', key)
`);

/**
 * ARGV, further: maxSessionSize, `new` or `old`, and for each change: name, the version that it must have or "", `set`
 * or `remove`, JSON. Returns `gone`, or `conflict` and a name, or `large` and a size, or `stored` and all entries.
 */
export const writeSession = new Script(`${withSession}
local isNew = ARGV[5] == 'new' and redis.call('EXISTS', key) == 0
if not isNew and not (isKnown() and touch(tonumber(redis.call('HGET', key, 'created')))) then return {'gone'} end
local stored = {}
local fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
  if string.sub(fields[i], 1, 1) == 'e' then stored[string.sub(fields[i], 2)] = fields[i + 1] end
end
for i = 6, #ARGV, 4 do
  local wanted = ARGV[i + 1]
  local version = stored[ARGV[i]] and string.match(stored[ARGV[i]], '^%d+') or '0'
  if wanted ~= '' and wanted ~= version then return {'conflict', ARGV[i]} end
end
-- Never used twice in a session: an entry that was removed and made anew is another one.
local version = tonumber(redis.call('HGET', key, 'version') or 0)
local writes, removals = {}, {}
for i = 6, #ARGV, 4 do
  local name, json = ARGV[i], ARGV[i + 3]
  if ARGV[i + 2] == 'remove' then
    stored[name] = nil
    table.insert(removals, 'e' .. name)
  else
    version = version + 1
    stored[name] = version .. ':' .. json
    table.insert(writes, 'e' .. name)
    table.insert(writes, stored[name])
  end
end
local size = 0
local reply = {'stored'}
for name, value in pairs(stored) do
  size = size + #name + #value - #string.match(value, '^%d+:')
  table.insert(reply, name)
  table.insert(reply, value)
end
if size > tonumber(ARGV[4]) then return {'large', size} end
if isNew then redis.call('HSET', key, 'hash', ARGV[1], 'created', string.format('%.0f', now)) end
redis.call('HSET', key, 'version', version)
for i = 1, #writes, 2 do redis.call('HSET', key, writes[i], writes[i + 1]) end
for _, field in ipairs(removals) do redis.call('HDEL', key, field) end
if isNew then touch(now) end
return reply
`);

/** ARGV, further: the hash from now on. Returns 0 if there is no such session. */
export const rotateSession = new Script(`${withSession}
if not isKnown() or not touch(tonumber(redis.call('HGET', key, 'created'))) then return 0 end
redis.call('HSET', key, 'hash', ARGV[4])
return 1
`);

/** ARGV: hash. */
export const destroySession = new Script(`
if redis.call('HGET', KEYS[1], 'hash') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
`);
