// Runs the transcripts: each section is a test, its commands one after the other.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { peer } from "../../src/peers.ts";
import { serveExamples, type ExampleSites } from "../example-sites.ts";
import { asExpected, readAnswer, readTranscripts } from "./transcript.ts";

const exchanges = readTranscripts(await readFile(new URL("transcripts.md", import.meta.url), "utf8"));
const titles = [...new Set(exchanges.map(({ title }) => title))];
/** Where the files are that it sends. */
const cwd = fileURLToPath(new URL(".", import.meta.url));
let sites: ExampleSites;

beforeAll(async () => {
  sites = await serveExamples();
});

afterAll(() => sites[Symbol.asyncDispose]());

test.for(titles)("curl: %s", async (title, context) => {
  const curl = peer("curl", context);
  const routes = [...sites.ports].flatMap(([host, port]) => ["--connect-to", `${host}:80:127.0.0.1:${port}`]);
  for (const { args, expected } of exchanges.filter((exchange) => exchange.title === title)) {
    // -q: no configuration of the user's own; -i: the heads too.
    const all = ["-q", "-sS", "-i", "--max-time", "10", "--noproxy", "*", ...routes, ...args];
    const { stdout } = await promisify(execFile)(curl, all, { cwd });
    expect(asExpected(readAnswer(stdout), expected), args.join(" ")).toEqual(expected);
  }
});

test("there are transcripts of many things", () => {
  expect(titles.length).toBeGreaterThan(20);
});
