// A proxy for Redis. The default export is the pack.

import { pack } from "@hemi/internal";
import { redisProxy } from "./redis-proxy.ts";

export { redisProxy };

export default pack("@hemi/contrib-redis-proxy", [redisProxy]);
