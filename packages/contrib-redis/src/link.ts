// The capability of a component that is connected to Redis, for all that store something there.

import { capability } from "@hemi/internal";
import type { Lane } from "./lane.ts";

export interface RedisLink {
  /** What all keys begin with. */
  readonly keyPrefix: string;
  /**
   * The connection for short commands that requests wait for, or the one for contents. It is made at the first call; a
   * reload may bring another one.
   */
  lane(name: "requests" | "contents"): Lane;
}

/** Offered by `redis`. */
export const redisLink = capability<RedisLink>("contrib-redis-link");
