// All rules of advice.

import type { Advice } from "./advice.ts";
import type { Facts } from "./facts.ts";
import { limitRules } from "./limit-rules.ts";
import { loadRules } from "./load-rules.ts";
import { trafficRules } from "./traffic-rules.ts";

/** What they advise. */
export function adviceOn(facts: Facts): readonly Advice[] {
  return [...limitRules, ...loadRules, ...trafficRules].flatMap((rule) => rule(facts));
}
