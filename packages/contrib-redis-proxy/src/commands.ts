// What the proxy knows about the commands of Redis: their keys, whether they write, and what they need of a connection.
// After the key specifications of redis.io/commands.

import type { Request } from "./resp/requests.ts";

/** What a command needs of the connection to a node. */
export type CommandNeed =
  /** Nothing: it is answered on a connection that clients share. */
  | "shared"
  /** The connection for itself, until it is answered: it may block. */
  | "blocking"
  /** The connection for itself from here on: messages come without being asked for. */
  | "subscribing"
  /** The connection for itself until the transaction is over. */
  | "transaction"
  /** Nothing of a node: the proxy answers it. */
  | "local"
  /** No proxy can pass it on. */
  | "never";

/** One command. */
export interface Command {
  readonly need: CommandNeed;
  readonly writes: boolean;
  /** Where its keys are. `last` is counted from the end if negative; 0: it has none. */
  readonly first: number;
  readonly last: number;
  readonly step: number;
  /** The argument that tells the number of keys, which follow it. 0: none does. */
  readonly countAt: number;
}

/** `undefined`: an unknown command. */
export function commandOf(name: string): Command | undefined {
  return commands.get(name);
}

/** The keys of a request. A number of keys that lies gives those that are there. */
export function keysOf(command: Command, request: Request, name: string): readonly Buffer[] {
  const keys: Buffer[] = [];
  const { first, step, countAt } = command;
  const last = command.last < 0 ? request.length + command.last : command.last;
  if (first > 0) for (let i = first; i <= last && i < request.length; i += step) keys.push(request.arg(i));
  if (countAt > 0) {
    const count = Number(request.arg(countAt).toString("latin1"));
    for (let i = countAt + 1; i <= countAt + count && i < request.length; i++) keys.push(request.arg(i));
  }
  if (name === "XREAD" || name === "XREADGROUP") keys.push(...streamKeys(request));
  if (name === "SORT") keys.push(...storeKey(request));
  return keys;
}

/** Whether it may block: `XREAD` and `XREADGROUP` do so only if they are told to. */
export function needOf(command: Command, request: Request, name: string): CommandNeed {
  if (name !== "XREAD" && name !== "XREADGROUP") return command.need;
  return readStreams(request).isBlocking ? "blocking" : "shared";
}

/**
 * The options of XREAD and XREADGROUP, read as Redis does: a group or a consumer may be named like an option.
 * `streams`: where the keys begin; beyond the end if there are none.
 */
function readStreams(request: Request): { readonly isBlocking: boolean; readonly streams: number } {
  let isBlocking = false;
  let i = 1;
  while (i < request.length) {
    const word = request.word(i);
    if (word === "STREAMS") return { isBlocking, streams: i + 1 };
    if (word === "BLOCK") isBlocking = true;
    i += word === "GROUP" ? 3 : word === "NOACK" ? 1 : 2;
  }
  return { isBlocking, streams: i };
}

/** `STREAMS key key id id`: the first half of what follows. */
function streamKeys(request: Request): readonly Buffer[] {
  const { streams } = readStreams(request);
  const count = Math.max(0, Math.floor((request.length - streams) / 2));
  return Array.from({ length: count }, (_, key) => request.arg(streams + key));
}

/** Whether it would change a connection that clients share: EVAL of anyone would be in a debugger from then on. */
export function isNeverPassedOn(command: Command, request: Request, name: string): boolean {
  return command.need === "never" || (name === "SCRIPT" && request.word(1) === "DEBUG");
}

function storeKey(request: Request): readonly Buffer[] {
  for (let i = 2; i < request.length - 1; i++) if (request.word(i) === "STORE") return [request.arg(i + 1)];
  return [];
}

/** Names, for each shape of keys: `first last step`, or `#` with the place of the number of keys. */
const table: readonly (readonly [need: CommandNeed, writes: boolean, keys: string, names: string])[] = [
  [
    "shared",
    false,
    "1 1 1",
    `GET GETRANGE SUBSTR STRLEN GETBIT BITCOUNT BITPOS TTL PTTL EXPIRETIME PEXPIRETIME TYPE DUMP HGET HMGET HGETALL HKEYS
     HVALS HLEN HEXISTS HSTRLEN HRANDFIELD HSCAN HTTL HPTTL HEXPIRETIME HPEXPIRETIME LRANGE LLEN LINDEX LPOS SMEMBERS
     SISMEMBER SMISMEMBER SCARD SRANDMEMBER SSCAN ZRANGE ZRANGEBYSCORE ZREVRANGE ZREVRANGEBYSCORE ZRANGEBYLEX
     ZREVRANGEBYLEX ZCARD ZCOUNT ZLEXCOUNT ZSCORE ZMSCORE ZRANK ZREVRANK ZRANDMEMBER ZSCAN GEOPOS GEODIST GEOHASH
     GEOSEARCH GEORADIUS_RO GEORADIUSBYMEMBER_RO XRANGE XREVRANGE XLEN XPENDING BITFIELD_RO SORT_RO`,
  ],
  ["shared", false, "1 -1 1", "MGET EXISTS TOUCH SINTER SUNION SDIFF PFCOUNT"],
  ["shared", false, "1 2 1", "LCS"],
  ["shared", false, "2 2 1", "OBJECT XINFO"],
  ["shared", false, "# 1", "ZUNION ZINTER ZDIFF ZINTERCARD SINTERCARD"],
  ["shared", false, "# 2", "EVAL_RO EVALSHA_RO FCALL_RO"],
  ["shared", false, "0 0 1", "DBSIZE KEYS SCAN RANDOMKEY TIME INFO LASTSAVE COMMAND LOLWUT PUBSUB"],
  ["shared", false, "0 0 1", "XREAD"],
  ["shared", true, "0 0 1", "XREADGROUP PUBLISH SCRIPT FUNCTION FLUSHDB FLUSHALL SWAPDB"],
  [
    "shared",
    true,
    "1 1 1",
    `SET SETNX SETEX PSETEX GETSET GETDEL GETEX APPEND SETRANGE SETBIT INCR DECR INCRBY DECRBY INCRBYFLOAT EXPIRE PEXPIRE
     EXPIREAT PEXPIREAT PERSIST RESTORE HSET HSETNX HMSET HDEL HINCRBY HINCRBYFLOAT HEXPIRE HPEXPIRE HEXPIREAT
     HPEXPIREAT HPERSIST HGETDEL HGETEX HSETEX LPUSH RPUSH LPUSHX RPUSHX LPOP RPOP LSET LINSERT LREM LTRIM SADD SREM
     SPOP ZADD ZREM ZINCRBY ZPOPMIN ZPOPMAX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREMRANGEBYLEX GEOADD XADD XDEL XTRIM XACK
     XCLAIM XAUTOCLAIM XSETID PFADD BITFIELD SPUBLISH MOVE SORT GEORADIUS GEORADIUSBYMEMBER`,
  ],
  ["shared", true, "1 -1 1", "DEL UNLINK PFMERGE SINTERSTORE SUNIONSTORE SDIFFSTORE"],
  ["shared", true, "1 -1 2", "MSET MSETNX"],
  ["shared", true, "1 2 1", "RENAME RENAMENX LMOVE RPOPLPUSH SMOVE COPY ZRANGESTORE GEOSEARCHSTORE"],
  ["shared", true, "2 2 1", "XGROUP"],
  ["shared", true, "2 -1 1", "BITOP"],
  ["shared", true, "# 1", "LMPOP ZMPOP"],
  ["shared", true, "1 1 1 # 2", "ZUNIONSTORE ZINTERSTORE ZDIFFSTORE"],
  ["shared", true, "# 2", "EVAL EVALSHA FCALL"],
  ["blocking", true, "1 -2 1", "BLPOP BRPOP BZPOPMIN BZPOPMAX"],
  ["blocking", true, "1 2 1", "BLMOVE BRPOPLPUSH"],
  ["blocking", true, "# 2", "BLMPOP BZMPOP"],
  ["blocking", false, "0 0 1", "WAIT WAITAOF"],
  ["subscribing", false, "0 0 1", "SUBSCRIBE PSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE MONITOR"],
  ["subscribing", false, "1 -1 1", "SSUBSCRIBE SUNSUBSCRIBE"],
  ["transaction", false, "1 -1 1", "WATCH"],
  ["transaction", false, "0 0 1", "MULTI EXEC DISCARD UNWATCH"],
  ["local", false, "0 0 1", "PING ECHO HELLO AUTH QUIT RESET SELECT CLIENT READONLY READWRITE ASKING"],
  ["shared", true, "0 0 1", "CONFIG ACL CLUSTER DEBUG LATENCY MEMORY MODULE SLOWLOG SAVE BGSAVE BGREWRITEAOF SHUTDOWN"],
  ["never", true, "0 0 1", "SYNC PSYNC REPLCONF REPLICAOF SLAVEOF FAILOVER MIGRATE"],
];

const commands: ReadonlyMap<string, Command> = new Map(
  table.flatMap(([need, writes, keys, names]) => {
    const [, first = "0", last = "0", step = "1"] = /^(\d+) (-?\d+) (\d+)/.exec(keys) ?? [];
    const [, countAt = "0"] = /# (\d+)/.exec(keys) ?? [];
    const command = {
      need,
      writes,
      first: Number(first),
      last: Number(last),
      step: Number(step),
      countAt: Number(countAt),
    };
    return names.split(/\s+/).map((name) => [name, command] as const);
  }),
);

/** What a proxy for many should not pass on, unless it is told to: it is about the server, or holds it up. */
export const refusedByDefault = [
  ...["ACL", "BGREWRITEAOF", "BGSAVE", "CLUSTER", "CONFIG", "DEBUG", "FLUSHALL", "KEYS", "LATENCY", "MEMORY"],
  ...["MODULE", "MONITOR", "SAVE", "SHUTDOWN", "SLOWLOG", "SWAPDB"],
];
