// Processes that are killed while they serve.

import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { folderWith, start } from "./command.ts";
import { load } from "./load.ts";
import { isAlive, serve, type Program } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

/** Answers `PID begin`, and ` end` when it is told to by a request to the same worker, or by the end of its leader. */
const pack = `import { existsSync, writeFileSync } from "node:fs";
  import { defineHandlet, pack } from "${import.meta.resolve("@hemi/hemi")}";
  if (existsSync("loop")) {
    writeFileSync("looping", String(process.pid));
    for (;;);
  }
  const slow = defineHandlet({
    sign: "slow",
    create: () => ({
      async handle(_req, resp) {
        await resp.echo(process.pid + " begin");
        await new Promise((resolve) => process.once("disconnect", resolve));
        await resp.echo(" end");
        resp.end();
        return true;
      },
    }),
  });
  export default pack("test", [slow]);`;

const site = `stage {
  webapp "a" { .hostnames = ("*") rule $path == "/slow" { slow {} } rule { .returnText = "a" } }
  httpxServer "main" { .webapps = ("a") .address = "127.0.0.1:0" }
}
`;

interface SlowAnswer {
  /** The worker that answers. */
  readonly pid: number;
  /** All of it, or "broken". */
  readonly rest: Promise<string>;
}

async function askSlowly({ port }: Program): Promise<SlowAnswer> {
  const [response] = (await once(get({ host: "127.0.0.1", port, path: "/slow", agent: false }), "response")) as [
    IncomingMessage,
  ];
  const [chunk] = (await once(response, "data")) as [Buffer];
  let text = chunk.toString();
  response.on("data", (more: Buffer) => (text += more.toString()));
  const rest = new Promise<string>((resolve) => {
    response.on("end", () => resolve(text)).on("error", () => resolve("broken"));
  });
  return { pid: Number.parseInt(text), rest };
}

/** Answers of both workers. */
async function slowAnswers(program: Program): Promise<readonly SlowAnswer[]> {
  const answers = await Promise.all(Array.from({ length: 16 }, () => askSlowly(program)));
  expect(new Set(answers.map(({ pid }) => pid)).size).toBe(2);
  return answers;
}

test("a worker that is killed takes only its own requests with it, also under load", async () => {
  await using folder = await folderWith({ "hemi.conf": site, "pack.mjs": pack });
  await using program = await serve(folder.path, "--use", "./pack.mjs");
  const slow = await slowAnswers(program);
  const clients = load(program.port, { kept: 4, anew: 4 });
  const killed = slow[0]?.pid ?? 0;
  process.kill(killed, "SIGKILL");
  await program.command.line(/was ended by SIGKILL, and is replaced/);
  await expect.poll(async () => (await program.call("pids")).workers.length, { timeout: 20_000 }).toBe(2);
  const before = clients.answered;
  await expect.poll(() => clients.answered, { timeout: 20_000 }).toBeGreaterThan(before + 20);
  await clients.stop();
  // What was in flight: at most one request of each client.
  expect(clients.failed.length).toBeLessThanOrEqual(8);
  for (const { pid, rest } of slow) if (pid === killed) expect(await rest).toBe("broken");
  // The others end in order, when their leader is gone.
  program.command.child.kill("SIGKILL");
  for (const { pid, rest } of slow) if (pid !== killed) expect(await rest).toBe(`${pid} begin end`);
});

/** The process that loops for ever at the import of the pack. */
async function looping(folder: string): Promise<number> {
  const found = async (): Promise<number> => Number(await readFile(join(folder, "looping"), "utf8").catch(() => 0));
  await expect.poll(found, { timeout: 60_000 }).toBeGreaterThan(0);
  return await found();
}

test("a leader that is killed takes no request with it, and leaves no checker that loops for ever", async () => {
  await using folder = await folderWith({ "hemi.conf": site, "pack.mjs": pack });
  await using program = await serve(folder.path, "--use", "./pack.mjs");
  const slow = await slowAnswers(program);
  await writeFile(join(folder.path, "loop"), "");
  const plan = program.call("plan").catch(() => {});
  const checker = await looping(folder.path);
  program.command.child.kill("SIGKILL");
  for (const { pid, rest } of slow) expect(await rest).toBe(`${pid} begin end`);
  await plan;
  await expect.poll(() => isAlive(checker)).toBe(false);
});

test("a leader that is killed leaves no worker that loops for ever at the import of a module", async () => {
  await using folder = await folderWith({ "hemi.conf": site, "pack.mjs": pack, loop: "" });
  await using command = start(["serve", "--workers", "1", "--use", "./pack.mjs"], { cwd: folder.path });
  const worker = await looping(folder.path);
  command.child.kill("SIGKILL");
  await expect.poll(() => isAlive(worker)).toBe(false);
});

/** Kills the first worker of slot 1 that starts it, a moment after the other one has followed a reload. */
const falling = `import { rmSync, existsSync } from "node:fs";
  import { defineAddon, pack } from "${import.meta.resolve("@hemi/hemi")}";
  export default pack("test", [defineAddon({ sign: "falling", create: ({ workers }) => ({
    start() {
      if (workers.slot === 0 || !existsSync("fall")) return;
      rmSync("fall");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
      process.kill(process.pid, "SIGKILL");
    },
  }) })]);`;

const withMore = (more: string): string => site.replace(/}\n$/, `${more}\n}\n`);
const anotherServer = 'httpxServer "more" { .webapps = ("a") .address = "127.0.0.1:0" }';

test("an address that a reload drops is closed, though a worker is killed before it gives it up", async () => {
  const files = { "hemi.conf": withMore(anotherServer), "pack.mjs": pack, "falling.mjs": falling, fall: "" };
  await using folder = await folderWith(files);
  await using program = await serve(folder.path, "--use", "./pack.mjs", "--use", "./falling.mjs");
  expect((await program.call("leader")).listensOn).toHaveLength(2);
  const [, second] = (await program.call("pids")).workers;
  await writeFile(join(folder.path, "hemi.conf"), withMore('falling "one" {}'));
  await program.call("reload");
  const workers = async () => (await program.call("pids")).workers;
  await expect.poll(workers, { timeout: 30_000 }).not.toContain(second);
  await expect.poll(async () => (await workers()).length, { timeout: 30_000 }).toBe(2);
  await expect.poll(async () => (await program.call("leader")).listensOn, { timeout: 30_000 }).toHaveLength(1);
  await program.end();
});

test("an address that new workers do without is closed, though an old one is killed before it gives it up", async () => {
  await using folder = await folderWith({ "hemi.conf": withMore(anotherServer), "pack.mjs": pack });
  await using program = await serve(folder.path, "--use", "./pack.mjs", "--grace", "1s");
  expect((await program.call("leader")).listensOn).toHaveLength(2);
  const [, second = 0] = (await program.call("pids")).workers;
  await writeFile(join(folder.path, "hemi.conf"), site);
  process.kill(second, "SIGSTOP");
  await program.steer("reload", "--rework");
  await expect.poll(() => isAlive(second), { timeout: 30_000 }).toBe(false);
  await expect.poll(async () => (await program.call("leader")).listensOn, { timeout: 30_000 }).toHaveLength(1);
  await program.end();
});
