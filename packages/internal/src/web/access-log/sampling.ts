// Which requests have a line in an access log: a share of them, and all that went wrong or took long.

import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { AccessEntry } from "./access-entry.ts";

export const samplingProps = {
  /** Of a million requests, so many have a line. Those that `alwaysFrom` and `alwaysSlow` select have one anyway. */
  perMillion: prop.integer({ default: 1_000_000, max: 1_000_000 }),
  /** Requests whose status is at least this one always have a line; so have those whose response was not completed. */
  alwaysFrom: prop.integer({ default: 400, min: 100, max: 600 }),
  /** Requests that took at least so long always have a line. Unset: a long time is no reason. */
  alwaysSlow: prop.duration({}),
};

export type SamplingSettings = PropsOf<typeof samplingProps>;

/** What a request is judged by. */
type Judged = Pick<AccessEntry, "status" | "endReason" | "totalTime">;

/** Says which requests have a line; `undefined`: all. `chance`: at least 0 and below 1. */
export function samplingOf(
  { perMillion, alwaysFrom, alwaysSlow = Infinity }: SamplingSettings,
  chance: () => number = Math.random,
): ((entry: Judged) => boolean) | undefined {
  if (perMillion === 1_000_000) return undefined;
  return function isSampled({ status, endReason, totalTime }) {
    if (status >= alwaysFrom || endReason !== "complete" || totalTime >= alwaysSlow) return true;
    return chance() * 1_000_000 < perMillion;
  };
}
