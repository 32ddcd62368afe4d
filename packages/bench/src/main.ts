// `pnpm bench [WORD …] [--seconds N] [--pairs N]`: measures Hemi against its peers, and prints the table of ratios.
// A word picks the works whose names hold it. Server and load are on different cores where the machine has two.

import { parseArgs } from "node:util";
import { findProgram } from "./machine.ts";
import type { Result, Settings, Work } from "./work.ts";
import { answers } from "./works/answers.ts";
import { caching } from "./works/caching.ts";
import { coldObject } from "./works/cold-object.ts";
import { checkTime, startTime } from "./works/command-times.ts";
import { dataProxies } from "./works/data-proxies.ts";
import { http2 } from "./works/http2.ts";
import { http3 } from "./works/http3.ts";
import { idleHttp2Memory, idleMemory } from "./works/idle-memory.ts";
import { layer4 } from "./works/layer4.ts";
import { limiting } from "./works/limiting.ts";
import { manyRulesWorks } from "./works/many-rules.ts";
import { counting, firstView, scraping, tracing } from "./works/observing.ts";
import { php } from "./works/php.ts";
import { processes } from "./works/processes.ts";
import { proxying } from "./works/proxying.ts";
import { rpcClients } from "./works/rpc-clients.ts";
import { rpcJson } from "./works/rpc-json.ts";
import { rpcMemory } from "./works/rpc-memory.ts";
import { reloading } from "./works/reloading.ts";
import { reloadsUnderLoad } from "./works/reloads-under-load.ts";
import { rpc } from "./works/rpc.ts";
import { sessions } from "./works/sessions.ts";
import { slowDownloads } from "./works/slow-downloads.ts";
import { storedObjects } from "./works/stored-objects.ts";
import { websockets } from "./works/websockets.ts";

const works: readonly Work[] = [
  ...answers,
  ...http2,
  ...http3,
  ...rpc,
  ...rpcClients,
  ...rpcJson,
  rpcMemory,
  ...proxying,
  ...caching,
  coldObject,
  ...storedObjects,
  ...sessions,
  limiting,
  ...layer4,
  ...dataProxies,
  websockets,
  slowDownloads,
  php,
  ...manyRulesWorks,
  counting,
  tracing,
  scraping,
  firstView,
  idleMemory,
  idleHttp2Memory,
  ...processes,
  ...reloading,
  ...reloadsUnderLoad,
  checkTime,
  startTime,
];

const { words, settings } = argumentsOf(process.argv.slice(2));
const wanted = works.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
if (wanted.length === 0) refuse(`no work has ${words.join(" or ")} in its name; there are:\n  ${namesOf(works)}`);

console.log("| work | against | Hemi | peer | ratio or figure | at least | aim |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const work of wanted) {
  const missing = work.needs.filter((program) => findProgram(program) === undefined);
  if (missing.length > 0) console.log(`| ${work.name} | | | | not measured: ${missing.join(" and ")} missing | | |`);
  else for (const result of await work.run(settings)) console.log(line(work, result));
}

function argumentsOf(args: string[]): { words: readonly string[]; settings: Settings } {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { seconds: { type: "string", default: "5" }, pairs: { type: "string", default: "3" } },
    });
    const settings = { seconds: countOf("seconds", values.seconds), pairs: countOf("pairs", values.pairs) };
    return { words: positionals, settings };
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error));
  }
}

function countOf(option: string, text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) refuse(`--${option} takes a whole number from 1 on, not "${text}"`);
  return count;
}

function refuse(reason: string): never {
  console.error(`${reason}\nusage: pnpm bench [WORD …] [--seconds N] [--pairs N]`);
  process.exit(2);
}

function namesOf(some: readonly Work[]): string {
  return [...new Set(some.map(({ name }) => name))].join("\n  ");
}

function line({ name }: Work, { against, ours, theirs, figure, atLeast, aim }: Result): string {
  return `| ${[name, against, ours, theirs, figure, atLeast, aim].join(" | ")} |`;
}
