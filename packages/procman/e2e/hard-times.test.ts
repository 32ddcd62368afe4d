// A program whose workers fail in unusual ways, or whose system refuses what it needs.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { folderWith, run } from "./command.ts";
import { needsOtherUsers } from "./other-users.ts";
import { ask, files, serve, serveWith, workersOf, type Program } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

const patiently = { timeout: 60_000 };

/** A module that counts in a file how often it was loaded, and throws at one of the times. */
const counting = (bad: number) => `import { appendFileSync, statSync } from "node:fs";
import { pack } from "${import.meta.resolve("@hemi/hemi")}";
appendFileSync("loads", ".");
if (statSync("loads").size === ${bad}) throw new Error("this is load ${bad}");
export default pack("test", []);
`;

describe("a module that throws at import", () => {
  test("in the third worker ends the start, with its error and place", async () => {
    await using folder = await folderWith({ ...files(), "counting.mjs": counting(3) });
    const options = ["serve", "--workers", "3", "--use", "./counting.mjs"];
    const { code, stderr } = await run(options, { cwd: folder.path });
    expect(stderr).toContain("this is load 3");
    expect(stderr).toContain("counting.mjs:4");
    expect(code).toBe(1);
    // Nothing listens any more.
    const [, port = ""] = /listens on 127\.0\.0\.1:(\d+)/.exec(stderr) ?? [];
    await expect(ask(Number(port))).rejects.toThrow("ECONNREFUSED");
  });

  test("in the second new worker stops the rework, and the old ones that are left go on", async () => {
    await using folder = await folderWith({ ...files(), "counting.mjs": counting(4) });
    await using program = await serve(folder.path, "--use", "./counting.mjs");
    const before = await workersOf(program);
    expect(await program.steer("rework")).toMatch(/^1 .*this is load 4/s);
    const after = (await workersOf(program)).filter(({ state }) => state === "ready");
    expect(after).toHaveLength(2);
    expect(after[0]?.pid).not.toBe(before[0]?.pid);
    expect(after[1]?.pid).toBe(before[1]?.pid);
    const answers = await Promise.all(Array.from({ length: 16 }, () => ask(program.port)));
    expect(new Set(answers)).toEqual(new Set(["one"]));
    await program.end();
  });
});

test("a worker that exits with 0 is replaced as one that dies", async () => {
  const quitter = "export default function handle() { process.exit(0); }\n";
  await using folder = await folderWith({ ...files(), "loop.ts": quitter });
  await using program = await serve(folder.path);
  await expect(ask(program.port, "/loop")).rejects.toThrow();
  await program.command.line(/worker \d ended with exit code 0, and is replaced/);
  const answers = await Promise.all(Array.from({ length: 16 }, () => ask(program.port)));
  expect(new Set(answers)).toEqual(new Set(["one"]));
  await program.end();
});

test("a worker above --max-memory is replaced, and no request fails", async () => {
  const greedy = `const kept = [];
    export default function handle(req, res) {
      kept.push(Buffer.alloc(300 * 1024 * 1024, 1));
      res.end(String(process.pid));
    }`;
  await using folder = await folderWith({ ...files(), "loop.ts": greedy });
  await using program = await serve(folder.path, "--max-memory", "400M", "--stall", "0s");
  const pid = Number(await ask(program.port, "/loop"));
  await program.command.line(/worker \d uses more memory than --max-memory, and is replaced/);
  await expect.poll(async () => (await workersOf(program)).map((worker) => worker.pid), patiently).not.toContain(pid);
  expect(await ask(program.port)).toBe("one");
  await program.end();
});

test("a worker that stands still for longer than its grace, while it finishes its work, finishes it", async () => {
  const reader = `import { setTimeout as sleep } from "node:timers/promises";
    export default async function handle(req, res) {
      res.write("begun ");
      for await (const _ of req);
      await sleep(500);
      res.end("done");
    }`;
  await using folder = await folderWith({ ...files(), "loop.ts": reader });
  await using program = await serve(folder.path, "--workers", "1", "--grace", "5s", "--stall", "0s");
  const [worker] = await workersOf(program);
  const pid = worker?.pid ?? 0;
  const socket = connect(program.port, "127.0.0.1");
  const half = "x".repeat(2000);
  socket.write(`POST /loop HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 4000\r\n\r\n${half}`);
  let received = "";
  socket.setEncoding("utf8").on("data", (part: string) => (received += part));
  socket.on("error", ({ message }) => (received += message));
  await expect.poll(() => received, patiently).toContain("begun");
  await program.call("rework");
  process.kill(pid, "SIGSTOP");
  socket.write(half);
  await sleep(6000);
  process.kill(pid, "SIGCONT");
  await once(socket, "close");
  expect(received, program.command.written()).toContain("done");
  await program.end();
});

test("a worker without free descriptors serves the connections that it has, says so, and goes on", async () => {
  // Before it listens, in workers only: its worker has room for some connections.
  const low = `import { execFileSync } from "node:child_process";
    import { readdirSync } from "node:fs";
    import { pack } from "${import.meta.resolve("@hemi/hemi")}";
    const limit = String(readdirSync("/proc/self/fd").length + 40);
    if (process.title.includes("worker"))
      execFileSync("prlimit", ["--pid", String(process.pid), "--nofile=" + limit + ":" + limit]);
    export default pack("test", []);`;
  await using folder = await folderWith({ ...files(), "low.mjs": low });
  await using program = await serve(folder.path, "--workers", "1", "--use", "./low.mjs");
  const before = await workersOf(program);
  const sockets = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const socket = connect(program.port, "127.0.0.1").on("error", () => {});
      await once(socket, "connect");
      return socket;
    }),
  );
  await program.command.line(/all descriptors of the process are in use, and further connections are closed/);
  await expect.poll(() => sockets.filter(({ closed }) => closed).length, patiently).toBeGreaterThan(0);
  // Those that were accepted are served.
  const kept = sockets.filter(({ closed }) => !closed);
  const [socket] = kept;
  socket?.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  const [answer] = socket === undefined ? [] : ((await once(socket, "data")) as [Buffer]);
  expect(answer?.toString()).toContain("one");
  for (const one of sockets) one.destroy();
  await expect.poll(() => ask(program.port).catch(() => "refused"), patiently).toBe("one");
  expect((await workersOf(program)).map(({ pid }) => pid)).toEqual(before.map(({ pid }) => pid));
  await program.end();
});

describe.skipIf(process.getuid?.() !== 0)("a leader that may start no process", () => {
  /** Nobody else's. */
  const uid = 54_321;

  /** Calls prlimit for a process, as its user: root may be forbidden to. */
  function prlimit(user: number, ...args: readonly string[]): string {
    const identity = ["--reuid", `${user}`, "--regid", `${user}`, "--clear-groups"];
    return execFileSync("setpriv", [...identity, "prlimit", ...args])
      .toString()
      .trim();
  }

  /** Kills a worker while the limit is low, and lets it be replaced when it is as before. */
  async function surviveLimit(program: Program, user: number, limit: string, error: string): Promise<void> {
    const leader = ["--pid", `${program.command.child.pid ?? 0}`];
    const output = prlimit(user, ...leader, `--${limit}`, "--noheadings", "--output", "SOFT,HARD");
    const [soft = "", hard = ""] = output.split(/\s+/);
    const [worker] = await workersOf(program);
    prlimit(user, ...leader, `--${limit}=3:${hard}`);
    process.kill(worker?.pid ?? 0, "SIGKILL");
    await program.command.line(new RegExp(`worker 0 could not be replaced[^]*${error}`));
    prlimit(user, ...leader, `--${limit}=${soft}:${hard}`);
    await expect
      .poll(async () => (await workersOf(program)).filter(({ state }) => state === "ready").length, patiently)
      .toBe(2);
    const answers = await Promise.all(Array.from({ length: 16 }, () => ask(program.port)));
    expect(new Set(answers)).toEqual(new Set(["one"]));
    await program.end();
  }

  test("because of ulimit -u tries again, and goes on", async (context) => {
    needsOtherUsers(context);
    await using folder = await folderWith(files());
    await chmod(folder.path, 0o777);
    await using program = await serveWith({ cwd: folder.path, uid });
    await surviveLimit(program, uid, "nproc", "EAGAIN");
  });

  test("because of its limit of descriptors tries again, and goes on", async () => {
    await using folder = await folderWith(files());
    await using program = await serve(folder.path);
    await surviveLimit(program, 0, "nofile", "EMFILE");
  });
});
