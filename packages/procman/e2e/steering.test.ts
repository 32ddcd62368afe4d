// Commands for a program that runs.

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { folderWith, run } from "./command.ts";
import { ask, files, serve, site } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

test.each(["pids", "leader", "workers", "plan", "reload", "rework", "reopen", "quit", "stop", "explain --running /"])(
  "%s without a program says so, with exit code 2",
  async (command) => {
    await using folder = await folderWith({});
    const { code, stdout, stderr } = await run([...command.split(" "), "--json"], { cwd: folder.path });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^hemi: .*no program runs there/);
  },
);

test("version tells the versions of the command, and those of the program that runs", async () => {
  await using folder = await folderWith(files());
  const before = JSON.parse((await run(["version", "--json"], { cwd: folder.path })).stdout) as unknown;
  expect(before).toMatchObject({ node: process.versions.node, running: null });
  await using program = await serve(folder.path);
  expect(await program.steer("version")).toMatch(/^hemi \S+, Node\.js \S+\nrunning: hemi \S+, Node\.js \S+\n$/);
  await program.end();
});

test("check --json tells all problems with their places", async () => {
  await using folder = await folderWith({
    "hemi.conf": 'stage {\n  webapp "a" { .hostnames = ("*") .hostname = 1 }\n}\n',
  });
  const { code, stdout } = await run(["check", "--json"], { cwd: folder.path });
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    passes: false,
    problems: [{ code: "HEMI_CONFIG_UNKNOWN_PROP", place: "hemi.conf:2:35", hint: "did you mean .hostnames?" }],
  });
  await writeFile(join(folder.path, "hemi.conf"), "stage {}\n");
  const passing = await run(["check", "--json"], { cwd: folder.path });
  expect(JSON.parse(passing.stdout)).toMatchObject({ passes: true, problems: [] });
});

test("explain --running knows which nodes of a backend have failed", async () => {
  const node = createServer((_request, response) => response.end("node")).listen(0, "127.0.0.1");
  await once(node, "listening");
  await using _node = { [Symbol.asyncDispose]: () => once(node.close(), "close").then(() => undefined) };
  const address = node.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const nodes = `(["address": "127.0.0.1:1"], ["address": "127.0.0.1:${port}"])`;
  const backend = `http1Backend "app" { .nodes = ${nodes} .maxFails = 1 .ejectTime = 5m }`;
  const text = site("one", backend).replace(/rule \{.*?\}/, 'rule { httpProxy { .toBackend = "app" } }');
  await using folder = await folderWith({ ...files(), "hemi.conf": text });
  await using program = await serve(folder.path, "--workers", "1");
  const question = ["--server", "main", "http://127.0.0.1/"];
  expect(await program.steer("explain", ...question)).not.toContain("ejected");
  // One of the two requests finds out that nobody listens there.
  expect([await ask(program.port), await ask(program.port)]).toEqual(["node", "node"]);
  expect(await program.steer("explain", "--running", ...question)).toMatch(/node 127\.0\.0\.1:1: is ejected/);
  const walk = JSON.parse(await program.steer("explain", "--running", "--json", ...question)) as object;
  expect(walk).toHaveProperty("outcome");
  await program.end();
});

/** A handlet that says two words, one of another module. */
const sayingPack = (word: string) => `import { defineHandlet, pack } from "${import.meta.resolve("@hemi/hemi")}";
  import { word } from "./word.mjs";
  export default pack("test", [defineHandlet({ sign: "say", create: () => ({
    handle(req, resp) { resp.send("${word} " + word); return true; } }) })]);`;

const sayingFiles = () => ({
  ...files(),
  "hemi.conf": site("one").replace(/rule \{.*?\}/, "rule { say {} }"),
  "say.mjs": sayingPack("old"),
  "word.mjs": 'export const word = "word";',
});

test("a reload names the modules that have changed, and goes on with the old code", async () => {
  await using folder = await folderWith(sayingFiles());
  await using program = await serve(folder.path, "--use", "./say.mjs");
  expect(await program.steer("plan")).not.toContain("changed module");
  await writeFile(join(folder.path, "say.mjs"), sayingPack("new"));
  await writeFile(join(folder.path, "word.mjs"), 'export const word = "words";');
  const told = await program.steer("reload");
  expect(told).toMatch(/changed module +\S+\/say\.mjs\nchanged module +\S+\/word\.mjs\n/);
  expect(told).toContain("hemi rework");
  await program.command.line(/goes on with the old code of changed modules/);
  expect(await ask(program.port)).toBe("old word");
  await program.end();
});

test("a plan and a reload name the modules that no worker has loaded yet", async () => {
  await using folder = await folderWith({
    ...files(),
    "new.mjs": 'export default (req, res) => res.end("of a new module");',
  });
  await using program = await serve(folder.path);
  const named = site("one").replace(/rule \{.*?\}/, 'rule { nodeHandlet { .module = "./new.mjs" } }');
  await writeFile(join(folder.path, "hemi.conf"), named);
  expect(await program.steer("plan")).toMatch(/new module +\S+\/new\.mjs\n/);
  expect(await program.steer("reload")).toMatch(/new module +\S+\/new\.mjs\n/);
  expect(await ask(program.port)).toBe("of a new module");
  expect(await program.steer("plan")).not.toContain("new module");
  await program.end();
});

test("a reload with --rework follows by new workers, or not at all", async () => {
  await using folder = await folderWith(sayingFiles());
  await using program = await serve(folder.path, "--use", "./say.mjs");
  await writeFile(join(folder.path, "say.mjs"), sayingPack("new"));
  await writeFile(join(folder.path, "hemi.conf"), site("two").replace(/rule \{.*?\}/, "rule { say {} } rule {}"));
  expect(await program.steer("reload", "--rework")).not.toContain("changed module");
  expect(await ask(program.port)).toBe("new word");
  // Code that cannot be loaded changes nothing.
  await writeFile(join(folder.path, "word.mjs"), "throw new Error('no word');");
  expect(await program.steer("reload", "--rework")).toMatch(/^1 .*word\.mjs/s);
  expect(await ask(program.port)).toBe("new word");
  await program.end();
});
