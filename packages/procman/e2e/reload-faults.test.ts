// Reloads that go wrong, or come at a bad moment: all workers stay as they are, or all follow.

import { once } from "node:events";
import { rename, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { folderWith } from "./command.ts";
import { serve, type Program } from "./program.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const site = (text: string, more = ""): string => `stage {
  webapp "a" { .hostnames = ("*") rule { .returnText = "${text}" } }
  httpxServer "main" { .webapps = ("a") .address = "127.0.0.1:0" }
  ${more}
}
`;

let folder: Awaited<ReturnType<typeof folderWith>>;
let program: Program;
beforeAll(async () => {
  folder = await folderWith({ "hemi.conf": site("first") });
  program = await serve(folder.path);
});
afterAll(async () => {
  await program.end();
  await program[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function write(text: string): Promise<void> {
  return writeFile(join(folder.path, "hemi.conf"), text);
}

/** Puts the text in the place of the other one at once, as editors do: nobody reads half of it. */
async function replace(text: string): Promise<void> {
  const path = join(folder.path, "hemi.conf");
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

/** What both workers answer. */
async function answers(): Promise<readonly string[]> {
  const texts = await Promise.all(
    Array.from({ length: 16 }, async () => {
      const response = await fetch(`http://127.0.0.1:${program.port}/`, { headers: { connection: "close" } });
      return await response.text();
    }),
  );
  return [...new Set(texts)];
}

async function reloadTo(text: string): Promise<void> {
  await write(site(text));
  await program.call("reload");
  expect(await answers()).toEqual([text]);
}

test("a syntax error changes nothing", async () => {
  await reloadTo("before");
  await write("stage { webapp");
  await expect(program.call("reload")).rejects.toThrow(/hemi\.conf:1:\d+ HEMI_CONFIG/);
  expect(await answers()).toEqual(["before"]);
});

test("a certificate that is missing changes nothing", async () => {
  await reloadTo("before");
  const files = `.tlsCert = "${folder.path}/no.crt" .tlsKey = "${folder.path}/no.key"`;
  await write(site("after", `httpxServer "b" { .webapps = ("a") .address = "127.0.0.1:0" .tlsMode = true ${files} }`));
  await expect(program.call("reload")).rejects.toThrow(/no\.crt/);
  expect(await answers()).toEqual(["before"]);
});

test.each([
  ["", false],
  [" with SO_REUSEPORT", true],
])("a port that another process has taken%s changes nothing", async (_how, reusePort) => {
  await reloadTo("before");
  const other = createServer().listen({ port: 0, host: "127.0.0.1", reusePort });
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const taken = site("after", `httpxServer "b" { .webapps = ("a") .address = "127.0.0.1:${port}" }`);
  await write(taken);
  await expect(program.call("reload")).rejects.toThrow(new RegExp(`127\\.0\\.0\\.1:${port}`));
  expect(await answers()).toEqual(["before"]);
  other.close();
  await once(other, "close");
  await program.call("reload");
  expect(await answers()).toEqual(["after"]);
});

test("reloads that are asked for at once follow one after the other, and the last text stays", async () => {
  await replace(site("one"));
  const first = program.call("reload");
  const second = program.call("reload");
  await replace(site("two"));
  const third = program.call("reload");
  await Promise.all([first, second, third]);
  expect(await answers()).toEqual(["two"]);
});

test("a file that changes while it is read leaves both workers with the same text", async () => {
  let isOver = false;
  const writing = (async () => {
    for (let i = 0; !isOver; i++) await write(site(`text ${i}`));
  })();
  for (let i = 0; i < 5; i++) {
    // An empty file, in the middle of a write, is an error as any other.
    await program.call("reload").catch((error: unknown) => expect(String(error)).toMatch(/HEMI_CONFIG/));
    expect(await answers()).toHaveLength(1);
  }
  isOver = true;
  await writing;
  await reloadTo("at last");
});

test("a reload of nothing changes nothing", async () => {
  await reloadTo("same");
  expect((await program.call("reload")).plan.changes).toEqual([]);
});
