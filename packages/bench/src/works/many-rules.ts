// What the number of rules before the right one costs: the last of 2,000 rules against the first.

import { comparePairs } from "../comparison.ts";
import { measure } from "../load.ts";
import { hemiCommand } from "../machine.ts";
import { startServer } from "../server-process.ts";
import { manyRules } from "../servers/many-rules.ts";
import type { Work } from "../work.ts";

const count = 2000;

export const manyRulesWorks: readonly Work[] = [
  work("by $path ==", "==", "0.9", "0.97"),
  work("by $path ^=", "^=", "0.8", "0.95"),
];

function work(how: string, operator: "==" | "^=", atLeast: string, aim: string): Work {
  return {
    name: `the last of ${count} rules ${how}`,
    needs: ["wrk"],
    async run({ seconds, pairs }) {
      const file = manyRules(count, operator);
      await using server = await startServer(() => [hemiCommand, "serve", "--config", file, "--log-level", "error"]);
      const load = { port: server.port, isVaried: false, seconds };
      const last = { ...load, path: `/section-${count - 1}/` };
      const first = { ...load, path: "/section-0/" };
      for (const warmUp of [last, first]) await measure({ ...warmUp, seconds: 2 });
      const { ours, theirs, ratio, spread } = await comparePairs(
        () => measure(last),
        () => measure(first),
        pairs,
      );
      const figure = `${ratio.toFixed(2)} (${spread[0].toFixed(2)}–${spread[1].toFixed(2)})`;
      return [{ against: "the first", ours: ours.toFixed(0), theirs: theirs.toFixed(0), figure, atLeast, aim }];
    },
  };
}
