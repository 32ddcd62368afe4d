// A script that Redis runs as one step, with nothing else in between. Each uses keys of one slot only, as clusters
// demand.

import { createHash } from "node:crypto";

/** A script in Lua. Redis knows it by its hash after its first run. */
export class Script {
  readonly text: string;
  /** SHA-1 in hexadecimal digits, as EVALSHA takes it. */
  readonly hash: string;

  constructor(text: string) {
    this.text = text;
    this.hash = createHash("sha1").update(text).digest("hex");
  }
}

/**
 * The begin of a script that needs the time: `now` is in milliseconds since the epoch, with fractions. It is the clock
 * of Redis, so that those of its clients need not agree.
 */
export const withTime = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
`;
