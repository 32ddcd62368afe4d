// What someone on call asks of a running program: what was done for a request, more lines in the log, measurements,
// advice.

import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Activity } from "../src/observe/activity.ts";
import { folderWith, run } from "./command.ts";
import { ask, serve, type Program } from "./program.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** It has `otel`, which is in no standard pack. */
const otel = fileURLToPath(new URL("../../contrib-otel/src/index.ts", import.meta.url));

const syslogSocket = join(tmpdir(), `hemi-on-call-${process.pid}`);

const config = `stage {
    otel "collector" { .endpoint = "http://127.0.0.1:9" }
    syslog "central" { .address = "${syslogSocket}" .errorLog = true }
    http1Backend "api" { .nodes = (["address": "127.0.0.1:9"]) .healthCheck = "tcp" .healthInterval = 10ms }
    webapp "site" {
        .hostnames = ("*")
        .traceTo = "collector"
        .tracesPerMillion = 1000000
        rule "hello" { .returnText = "hello" }
    }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
}
`;

let folder: Awaited<ReturnType<typeof folderWith>>;
let program: Program;

beforeAll(async () => {
  folder = await folderWith({ "hemi.conf": config });
  program = await serve(folder.path, "--use", otel);
});

afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const hemi = (...args: readonly string[]) => run(args, { cwd: folder.path });

test("hemi trace tells the steps of a request that was sampled, whichever worker has had it", async () => {
  const { follower } = await program.call("logs", { filter: {} });
  await Promise.all(Array.from({ length: 8 }, (_, i) => ask(program.port, `/${i}`)));
  const lines: Readonly<Record<string, string>>[] = [];
  while (lines.length < 8) {
    const next = await program.call("logs", { follower });
    lines.push(...next.lines.map((line) => JSON.parse(line) as Readonly<Record<string, string>>));
  }
  for (const { requestId = "", uri, traceId } of lines) {
    const story = await program.call("trace", { requestId });
    expect(story).toMatchObject({ isOver: true, traceId, attributes: { "url.path": uri } });
    expect(story.spans.map(({ name }) => name)).toEqual(["webapp.site/rule.hello", "GET webapp.site"]);
  }
  const { stdout } = await hemi("trace", lines[0]?.["requestId"] ?? "");
  expect(stdout).toMatch(/^ +[\d.]+ +[\d.]+ {2}GET webapp\.site\n +[\d.]+ +[\d.]+ {4}webapp\.site\/rule\.hello$/m);
  await expect(program.call("trace", { requestId: "none" })).rejects.toThrow("no worker knows request none");
});

test("hemi log-level changes what a component writes in all workers, and names the nearest one that there is", async () => {
  /** The server refuses it, and says so at the level info. */
  const refused = async (path: string) => {
    await Promise.all(Array.from({ length: 16 }, () => ask(program.port, `/${path}/..%2f`)));
  };
  const path = "httpxServer.main";
  await expect(program.call("logLevel", { level: "warn", path: "httpxServer.mian" })).rejects.toThrow(
    "the program has no component httpxServer.mian; did you mean httpxServer.main?",
  );
  const { stdout } = await hemi("log-level", "warn", "--path", path, "--for", "10m");
  expect(stdout).toMatch(/^warn for httpxServer\.main until [\d:]{8} UTC$/m);
  expect(await program.call("leader")).toMatchObject({ logLevels: [{ path, level: "warn" }] });
  const count = () => program.command.written().split("refused a request of 127.0.0.1 with 400").length - 1;
  await refused("quiet");
  expect(await program.call("logLevel", { level: null, path })).toEqual([]);
  await refused("told");
  await expect.poll(count, { timeout: 30_000 }).toBe(16);
});

test("hemi loop and hemi gc measure a worker that serves", async () => {
  const measured = program.call("measure", { kind: "loop", slot: 1, period: 300 });
  expect(await ask(program.port)).toBe("hello");
  const { slot, durations } = await measured;
  expect(slot).toBe(1);
  expect(durations["delay"]?.count).toBeGreaterThan(0);
  const { stdout } = await hemi("gc", "--for", "10ms");
  expect(stdout).toMatch(/^garbage collections of worker 0, process \d+, in [\d.]+ s$/m);
});

test("hemi top --once shows the rates of a load within 2 %", async () => {
  await using between = await folderWith({});
  const [began, loaded] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  /** Between the command and the program: so the load is known to be between the two looks of the command. */
  await using control = createServer((socket) => void pass(socket));
  let looks = 0;
  async function pass(command: Socket): Promise<void> {
    if (++looks > 1) await loaded.promise;
    const leader = connect(join(folder.path, "vars", "hemi.sock"));
    command.pipe(leader).pipe(command);
    command.on("error", () => {}).on("close", began.resolve);
  }
  control.listen(join(between.path, "hemi.sock"));
  const shown = hemi("top", "--once", "--json", "--vars", between.path);
  await began.promise;
  const asked = 400;
  for (let i = 0; i < asked / 40; i++) await Promise.all(Array.from({ length: 40 }, () => ask(program.port)));
  loaded.resolve();
  const { components, time } = JSON.parse((await shown).stdout) as Activity;
  const rate = components.find(({ path }) => path === "webapp.site/rule.hello")?.rate ?? 0;
  expect(looks).toBe(2);
  expect(Math.abs(rate * time - asked)).toBeLessThanOrEqual(asked * 0.02);
});

test("hemi advise says with numbers what is wrong with the program, and nothing else", async () => {
  const state = async () => (await program.call("backends", {}))[0]?.nodes[0]?.state;
  await expect.poll(state, { timeout: 30_000 }).toBe("down");
  const { stdout } = await hemi("advise", "--for", "100ms");
  const about = stdout.split("\n").filter((line) => line.startsWith("http"));
  expect(about).toEqual([expect.stringMatching(/^http1Backend\.api: node 127\.0\.0\.1:9 is down: /)]);
});

test("what the leader logs goes to the addons of its workers, which send the error log elsewhere", async () => {
  let received = "";
  const connected = Promise.withResolvers<Socket>();
  await using server = createServer((socket) => {
    connected.resolve(socket.on("data", (bytes) => (received += String(bytes))));
  });
  server.listen(syslogSocket);
  const { pid = 0 } = (await program.call("workers")).find(({ slot }) => slot === 1) ?? {};
  expect(pid).toBeGreaterThan(0);
  process.kill(pid, "SIGKILL");
  await expect.poll(() => received).toMatch(/ errorLog - leader worker 1 .*was ended by SIGKILL/);
  (await connected.promise).destroy();
});
