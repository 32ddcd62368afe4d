// Runs the requests in golden/shop.txt through golden/shop/shop.conf: each `$` line, and below it what is said of it.
// With UPDATE_GOLDEN=1 what stands below them is written anew.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import type { ExplainRequest, Walk } from "./explanation.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { Listeners } from "../../net/listener.ts";
import { defineHandlet, defineReviser, defineSocklet } from "../kinds.ts";
import { Mapper } from "../mapper/mapper.ts";
import { walkText } from "./walk-text.ts";

const file = fileURLToPath(new URL("golden/shop.txt", import.meta.url));
const baseDir = fileURLToPath(new URL("golden/shop", import.meta.url));
const ran = (): never => {
  throw new Error("a handler ran");
};
const mapper = new Mapper().get("/api/users/:id(\\d+)", ran).post("/api/users", ran);
const shopPack = pack("shop", [
  defineHandlet({ sign: "app", create: () => mapper }),
  defineHandlet({ sign: "opaque", create: () => ({ handle: ran }) }),
  defineSocklet({ sign: "live", create: () => ({ handle: ran }) }),
  defineReviser({ sign: "stamp", create: () => ({ rank: 3, reviseRequest: ran, reviseResponse: ran }) }),
]);

test("each request is explained as golden/shop.txt shows it", async () => {
  const golden = readFileSync(file, "utf8");
  const log = openErrorLog({ level: "debug", sink: new MemorySink() });
  const text = readFileSync(`${baseDir}/shop.conf`, "utf8");
  const boot = bootWith([shopPack]);
  await using stage = await boot.bootText(text, { name: "shop.conf", baseDir, log, listeners: new Listeners() });
  let written = "";
  for (const line of golden.split("\n").filter((line) => line.startsWith("$ "))) {
    const { request, into } = readLine(line);
    let told: string;
    try {
      const walk = await stage.explain(request, into === undefined ? {} : { into });
      told = walkText(JSON.parse(JSON.stringify(walk).replaceAll(baseDir, "/base")) as Walk);
    } catch (error) {
      if (!(error instanceof HemiError)) throw error;
      told = `${error.code}: ${error.message}\n`;
    }
    written += `${line}\n\n${told}\n\n`;
  }
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, written);
  else expect(written).toBe(golden);
});

/** `$ METHOD URL -H "name: value" --from ADDRESS --server NAME` */
function readLine(line: string): { readonly request: ExplainRequest; readonly into: string | undefined } {
  const [, method = "", url = "", options = ""] = /^\$ (\S+) (\S+)(.*)$/.exec(line) ?? [];
  const headers = [...options.matchAll(/-H "([^:]*): ([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]);
  const srcHost = /--from (\S+)/.exec(options)?.[1];
  const request = { method, url, headers: Object.fromEntries(headers) as Record<string, string> };
  return {
    request: srcHost === undefined ? request : { ...request, srcHost },
    into: /--server (\S+)/.exec(options)?.[1],
  };
}
