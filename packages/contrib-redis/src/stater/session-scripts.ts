// The scripts of redisStater. A session is one hash, so that each of them is one step:
//
//   hash       of the secret in the token
//   created    in milliseconds since the epoch, by the clock of Redis
//   version    counts the changes of entries, from the microsecond of the begin on: a session that begins again under
//              the token of one that has ended has no version of that
//   eNAME      VERSION:JSON
//
// The key expires when the session has been idle for too long, or has lasted for too long.

import { Script, withTime } from "../script.ts";

/** `isAlive(created)` moves the end of the session; false: it is over. ARGV: hash, idleTimeout, maxLifetime. */
const withSession = `
local key = KEYS[1]
local idle, lifetime = tonumber(ARGV[2]), tonumber(ARGV[3])

local function isAlive(created)
  local left = redis.call('PTTL', key)
  -- The end is not moved at each request: a hundredth of the time is close enough.
  if left <= idle and left > idle * 0.99 then return true end
  ${withTime}
  local allowed = math.ceil(math.min(idle, created + lifetime - now))
  if allowed <= 0 then
    redis.call('DEL', key)
    return false
  end
  if math.abs(allowed - left) > idle / 100 then redis.call('PEXPIRE', key, allowed) end
  return true
end

local function fieldsByName()
  local fields, byName = redis.call('HGETALL', key), {}
  for i = 1, #fields, 2 do byName[fields[i]] = fields[i + 1] end
  return fields, byName
end
`;

/** Returns the version and the entries, as fields of the hash, or nothing. */
export const findSession = new Script(`${withSession}
local fields, session = fieldsByName()
if session.hash ~= ARGV[1] or not isAlive(tonumber(session.created)) then return false end
local reply = {}
for i = 1, #fields, 2 do
  if fields[i] ~= 'hash' and fields[i] ~= 'created' then
    table.insert(reply, fields[i])
    table.insert(reply, fields[i + 1])
  end
end
return reply
`);

/**
 * ARGV, further: maxSessionSize; the version that the caller knows, `new`, or "" for none; and for each change: name,
 * the version that the entry must have or "", `set` or `remove`, JSON.
 *
 * Returns `made` if the session has the version that the caller knows: its size and the versions of its entries are not
 * looked at, because the caller has done so. Otherwise `gone`, or `conflict` and a name, or `large` and a size, or
 * `stored` and all fields.
 */
export const writeSession = new Script(`${withSession}
-- Each change makes another version, which no entry of the session ever had.
local function store(version)
  local writes, removals = {}, {}
  for i = 6, #ARGV, 4 do
    version = version + 1
    if ARGV[i + 2] == 'remove' then
      table.insert(removals, 'e' .. ARGV[i])
    else
      table.insert(writes, 'e' .. ARGV[i])
      table.insert(writes, string.format('%.0f', version) .. ':' .. ARGV[i + 3])
    end
  end
  -- Lua passes some thousand arguments at most.
  for i = 1, #writes, 200 do redis.call('HSET', key, unpack(writes, i, math.min(i + 199, #writes))) end
  for i = 1, #removals, 200 do redis.call('HDEL', key, unpack(removals, i, math.min(i + 199, #removals))) end
  redis.call('HSET', key, 'version', string.format('%.0f', version))
end

if ARGV[5] ~= 'new' and ARGV[5] ~= '' then
  local known = redis.call('HMGET', key, 'hash', 'version', 'created')
  if known[1] == ARGV[1] and known[2] == ARGV[5] then
    if not isAlive(tonumber(known[3])) then return {'gone'} end
    store(tonumber(known[2]))
    return {'made'}
  end
end

local _, session = fieldsByName()
local isNew = ARGV[5] == 'new' and session.hash == nil
if not isNew and not (session.hash == ARGV[1] and isAlive(tonumber(session.created))) then return {'gone'} end
local size = 0
for name, value in pairs(session) do
  if string.sub(name, 1, 1) == 'e' then size = size + #name - 1 + #value - #string.match(value, '^%d+:') end
end
for i = 6, #ARGV, 4 do
  local stored = session['e' .. ARGV[i]]
  local version = stored and string.match(stored, '^%d+') or '0'
  if ARGV[i + 1] ~= '' and ARGV[i + 1] ~= version then return {'conflict', ARGV[i]} end
  if stored then size = size - #ARGV[i] - (#stored - #version - 1) end
  if ARGV[i + 2] == 'set' then size = size + #ARGV[i] + #ARGV[i + 3] end
end
if size > tonumber(ARGV[4]) then return {'large', size} end
local before = tonumber(session.version or 0)
if isNew then
  ${withTime}
  before = time[1] * 1000000 + time[2]
  redis.call('HSET', key, 'hash', ARGV[1], 'created', string.format('%.0f', now))
  redis.call('PEXPIRE', key, math.ceil(math.min(idle, lifetime)))
end
store(before)
local reply = redis.call('HGETALL', key)
table.insert(reply, 1, 'stored')
return reply
`);

/** ARGV, further: the hash from now on. Returns 0 if there is no such session. */
export const rotateSession = new Script(`${withSession}
local known = redis.call('HMGET', key, 'hash', 'created')
if known[1] ~= ARGV[1] or not isAlive(tonumber(known[2])) then return 0 end
redis.call('HSET', key, 'hash', ARGV[4])
return 1
`);

/** ARGV: hash. */
export const destroySession = new Script(`
if redis.call('HGET', KEYS[1], 'hash') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
`);
