// `pnpm bench [WORD …] [--seconds N] [--pairs N]`: measures Hemi against its peers, and prints the table of ratios.
// A word picks the works whose names hold it. Server and load are on different cores where the machine has two.

import { parseArgs } from "node:util";
import { findProgram } from "./machine.ts";
import type { Result, Work } from "./work.ts";
import { answers } from "./works/answers.ts";
import { checkTime, startTime } from "./works/command-times.ts";
import { http2 } from "./works/http2.ts";
import { idleHttp2Memory, idleMemory } from "./works/idle-memory.ts";
import { php } from "./works/php.ts";
import { proxying } from "./works/proxying.ts";
import { slowDownloads } from "./works/slow-downloads.ts";
import { websockets } from "./works/websockets.ts";

const works: readonly Work[] = [
  ...answers,
  ...http2,
  ...proxying,
  websockets,
  slowDownloads,
  php,
  idleMemory,
  idleHttp2Memory,
  checkTime,
  startTime,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "5" }, pairs: { type: "string", default: "3" } },
});
const settings = { seconds: Number(values.seconds), pairs: Number(values.pairs) };

console.log("| work | against | Hemi | peer | ratio or figure | at least | aim |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const work of works) {
  if (positionals.length > 0 && !positionals.some((word) => work.name.includes(word))) continue;
  const missing = work.needs.filter((program) => findProgram(program) === undefined);
  if (missing.length > 0) console.log(`| ${work.name} | | | | not measured: ${missing.join(" and ")} missing | | |`);
  else for (const result of await work.run(settings)) console.log(line(work, result));
}

function line({ name }: Work, { against, ours, theirs, figure, atLeast, aim }: Result): string {
  return `| ${[name, against, ours, theirs, figure, atLeast, aim].join(" | ")} |`;
}
