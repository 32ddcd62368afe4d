// Redis for sessions, cached responses, rate limits and locks. The default export is the pack.

import { pack } from "@hemi/internal";
import { redisCacher } from "./cacher/redis-cacher.ts";
import { redis } from "./redis.ts";
import { redisStater } from "./stater/redis-stater.ts";

export { redisLink, type RedisLink } from "./link.ts";
export type { Lane } from "./lane.ts";
export { redis, redisCacher, redisStater };

export default pack("@hemi/contrib-redis", [redis, redisStater, redisCacher]);
