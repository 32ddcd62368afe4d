// Conditions that ask whether something is there, and whether a file of any name is.

import { mkdtempDisposable, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import type { Stage } from "../../stage.ts";
import { walkText } from "../explain/walk-text.ts";

async function serve(rules: string, baseDir?: string): Promise<Stage> {
  const text = `stage {
    fcache { .checkInterval = 1ms .missingInterval = 1ms }
    webapp "app" { .hostnames = ("*") ${rules} }
    httpxServer "main" { .address = "127.0.0.1:0" }
  }`;
  const log = openErrorLog({ sink: new MemorySink() });
  const stage = await bootWith([]).bootText(text, { log, ...(baseDir !== undefined && { baseDir }) });
  await stage.start();
  return stage;
}

test.each([
  ["$header_x_user", { headers: { "x-user": "ann" } }, "there"],
  ["$header_x_user", { headers: { "x-user": "" } }, "there"],
  ["$header_x_user", {}, "not there"],
  ["$query_a", { url: "/?a" }, "there"],
  ["$query_a", { url: "/?a=" }, "there"],
  ["$query_a", { url: "/?b" }, "not there"],
  ["$cookie_a", { headers: { cookie: "a=" } }, "there"],
  ["$cookie_a", { headers: { cookie: "b=1" } }, "not there"],
  ["$queryString", { url: "/?" }, "there"],
  ["$queryString", { url: "/" }, "not there"],
])("%s of %j is %s", async (variable, request, answer) => {
  await using stage = await serve(`
    rule ${variable} exists { .returnText = "there" }
    rule ${variable} !exists { .returnText = "not there" }`);
  expect((await stage.inject({ url: "/", ...request })).text).toBe(answer);
});

test("a file switches a site off, and its name is one below the base directory", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-presence-"));
  await using stage = await serve(
    `rule "maintenance" -f "down.html" && $path != "/status" { .returnCode = 503 .errorPages = ["503": "down.html"] }
    rule { .returnText = "up" }`,
    folder.path,
  );
  const file = join(folder.path, "down.html");
  expect((await stage.inject({ url: "/" })).text).toBe("up");
  await writeFile(file, "back soon");
  await expect.poll(() => stage.inject({ url: "/" })).toMatchObject({ status: 503, text: "back soon" });
  expect((await stage.inject({ url: "/status" })).text).toBe("up");
  const { rules: [first] = [] } = await stage.explain({ url: "/" });
  expect(first).toMatchObject({ condition: { operands: [{ type: "fileTest", of: "template", file }, {}] } });
  expect(walkText(await stage.explain({ url: "/" }))).toMatch(/-f +\S+down\.html: a file +yes/);
  await rm(file);
  await expect.poll(async () => (await stage.inject({ url: "/" })).text).toBe("up");
});
