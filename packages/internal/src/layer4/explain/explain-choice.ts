// Explains which node of a backend a dealet would use.

import type { NodeChoice } from "../../backend/node-choice.ts";
import type { DealetExplanation } from "./conn-explanation.ts";

export function explainChoice(what: string, backend: string, { chosen, nodes }: NodeChoice): DealetExplanation {
  const node = chosen === undefined ? "a node" : `node ${chosen}`;
  return {
    takes: "yes",
    text: `${what} ${node} of ${backend}`,
    details: [...nodes].map(([id, why]) => `${id} ${why}`),
  };
}
