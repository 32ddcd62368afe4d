// The scripts of redisCacher, each on the keys of one resource: the hash of its records, and what the keys of its
// chunked contents begin with. Content that is replaced or removed stays for a while: somebody may be reading it.

import { Script } from "../script.ts";
import { idSize, recordHeadSize } from "./wobject-record.ts";

const withRecord = `
local records, contents, field = KEYS[1], KEYS[2], ARGV[1]
local old = redis.call('HGET', records, field)
local oldId = old and string.sub(old, 1, ${idSize})
`;

/** ARGV: field, record, how long it is kept, how long the old content is kept. Returns how many variants there are. */
export const putRecord = new Script(`${withRecord}
if old then redis.call('PEXPIRE', contents .. oldId, ARGV[4]) end
redis.call('HSET', records, field, ARGV[2])
redis.call('PEXPIRE', records, ARGV[3])
return redis.call('HLEN', records)
`);

/** ARGV: field, id, JSON, how long it is kept. Does nothing if it is stored no longer. */
export const freshenRecord = new Script(`${withRecord}
if oldId ~= ARGV[2] then return 0 end
local content = string.sub(old, ${recordHeadSize + 1} + struct.unpack('>I4', string.sub(old, ${idSize + 1}, ${recordHeadSize})))
redis.call('HSET', records, field, oldId .. struct.pack('>I4', #ARGV[3]) .. ARGV[3] .. content)
redis.call('PEXPIRE', records, ARGV[4])
redis.call('PEXPIRE', contents .. oldId, ARGV[4])
return 1
`);

/** ARGV: field, id, how long the content is kept. Returns 0 if it is stored no longer. */
export const removeRecord = new Script(`${withRecord}
if oldId ~= ARGV[2] then return 0 end
redis.call('HDEL', records, field)
redis.call('PEXPIRE', contents .. oldId, ARGV[3])
return 1
`);

const withoutContents = `
local heads = redis.call('HGETALL', KEYS[1])
for i = 2, #heads, 2 do
  heads[i] = string.sub(heads[i], 1, ${recordHeadSize} + struct.unpack('>I4', string.sub(heads[i], ${idSize + 1}, ${recordHeadSize})))
end
`;

/** Returns fields and records alternating, without contents. */
export const readHeads = new Script(`${withoutContents}
return heads
`);

/** The same, but of a single record with its content. */
export const readVariants = new Script(`
if redis.call('HLEN', KEYS[1]) < 2 then return redis.call('HGETALL', KEYS[1]) end
${withoutContents}
return heads
`);

/** KEYS: a label. ARGV: a resource, how long it is kept. Those whose time is over leave the label. */
export const addToLabel = new Script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 0
`);
