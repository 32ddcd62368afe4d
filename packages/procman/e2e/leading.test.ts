// A leader and its workers, as users and attackers meet them.

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { folderWith, run, start } from "./command.ts";
import { load } from "./load.ts";
import { callProgram } from "../src/control/client.ts";
import { ask, files, isAlive, serve, site, workersOf } from "./program.ts";

// Each test starts up to ten processes from sources, on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 90_000 });

describe("a reload", () => {
  test("is followed by all workers, and no request fails", async () => {
    await using folder = await folderWith(files());
    await using program = await serve(folder.path);
    const requests = load(program.port);
    for (const text of ["two", "three", "four"]) {
      await writeFile(join(folder.path, "hemi.conf"), site(text));
      expect(await program.steer("plan")).toMatch(
        /made anew +webapp\.hello\/rule\.\S+ +hemi\.conf:6:9\n.*returnText changes/,
      );
      expect(await program.steer("reload")).toMatch(/components change; \d+ stay as they are/);
      const answers = await Promise.all(Array.from({ length: 16 }, () => ask(program.port)));
      expect(new Set(answers)).toEqual(new Set([text]));
    }
    expect(await requests.stop()).toBeGreaterThan(0);
    expect(requests.failed).toEqual([]);
    expect(await program.steer("reload")).toContain("nothing changes");
    await program.end();
  });

  test("that is wrong, or that one worker cannot prepare, changes nothing anywhere", async () => {
    // Its prepare fails in the worker of slot 1 only.
    const picky = `import { defineAddon, pack } from "${import.meta.resolve("@hemi/hemi")}";
      export default pack("test", [defineAddon({ sign: "picky", create: ({ workers }) => ({
        prepare() { if (workers.slot === 1) throw new Error("not in slot 1"); } }) })]);`;
    await using folder = await folderWith({ ...files(), "picky.mjs": picky });
    await using program = await serve(folder.path, "--use", "./picky.mjs");
    await writeFile(join(folder.path, "hemi.conf"), site("two").replace(".returnText", ".returnTxt"));
    expect(await program.steer("reload")).toMatch(/^1 hemi\.conf:6:16 HEMI_CONFIG_UNKNOWN_PROP/);
    await writeFile(join(folder.path, "hemi.conf"), site("two", 'picky "one" {}'));
    expect(await program.steer("reload")).toMatch(/^2 .*picky\.one could not be prepared: not in slot 1/s);
    const answers = await Promise.all(Array.from({ length: 16 }, () => ask(program.port)));
    expect(new Set(answers)).toEqual(new Set(["one"]));
    await program.end();
  });
});

describe("a worker", () => {
  test("that is killed is replaced with the running configuration, and connections wait for it", async () => {
    await using folder = await folderWith(files());
    await using program = await serve(folder.path);
    // Edited, and not reloaded: it must not be read.
    await writeFile(join(folder.path, "hemi.conf"), "broken");
    const [first] = await workersOf(program);
    process.kill(first?.pid ?? 0, "SIGKILL");
    await program.command.line(/worker 0 was ended by SIGKILL, and is replaced/);
    const answers = await Promise.all(Array.from({ length: 32 }, () => ask(program.port)));
    expect(new Set(answers)).toEqual(new Set(["one"]));
    await expect
      .poll(() => workersOf(program))
      .toMatchObject([
        { slot: 0, state: "ready" },
        { slot: 1, state: "ready" },
      ]);
    await program.end();
  });

  test("whose event loop stands still is reported with the line of code, and replaced", async () => {
    await using folder = await folderWith(files());
    await using program = await serve(folder.path, "--stall", "1s");
    const lost = ask(program.port, "/loop?secret=1").catch(() => "broken off");
    await program.command.line(/the event loop stood still for 1000 ms/);
    await program.command.line(/GET \/loop, [\w-]+/);
    await program.command.line(/at handle \(file:\/\/\S+loop\.ts:[34]:\d+\)/);
    expect(await lost).toBe("broken off");
    await program.command.line(/was ended by SIGKILL, and is replaced/);
    const answers = await Promise.all(Array.from({ length: 16 }, () => ask(program.port)));
    expect(new Set(answers)).toEqual(new Set(["one"]));
    await program.end();
  });

  test("that stood as a whole, and not its event loop alone, goes on", async () => {
    await using folder = await folderWith(files());
    await using program = await serve(folder.path, "--stall", "1s");
    const before = await workersOf(program);
    const pids = before.map(({ pid }) => pid);
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    await sleep(2500);
    for (const pid of pids) process.kill(pid, "SIGCONT");
    const answers = await Promise.all(Array.from({ length: 16 }, () => ask(program.port)));
    expect(new Set(answers)).toEqual(new Set(["one"]));
    await sleep(1500);
    expect((await workersOf(program)).map(({ pid }) => pid)).toEqual(pids);
    await program.end();
  });

  test("is replaced by a new one in a rework, and no request fails", async () => {
    await using folder = await folderWith(files());
    await using program = await serve(folder.path);
    const before = JSON.parse(await program.steer("workers", "--json")) as Awaited<ReturnType<typeof workersOf>>;
    expect(before).toMatchObject([0, 1].map((slot) => ({ slot, state: "ready" })));
    const requests = load(program.port);
    expect(await program.steer("rework")).toBe("replaced 2 workers\n");
    await ask(program.port);
    await requests.stop();
    expect(requests.failed).toEqual([]);
    const after = await program.steer("pids");
    await expect.poll(() => before.some(({ pid }) => isAlive(pid)), { timeout: 10_000 }).toBe(false);
    expect(after).toMatch(/^\d+ \d+ \d+/);
    await program.end();
  });

  test("that boots hears of secrets that are renewed meanwhile", async () => {
    const asking = `import { defineAddon, pack } from "${import.meta.resolve("@hemi/hemi")}";
      export default pack("test", [defineAddon({ sign: "asking", create: ({ workers }) => ({
        async prepare() {
          let known = await workers.secret("key");
          workers.onSecret("key", (secret) => (known = secret));
          workers.renewSecret("key");
          console.error((await workers.secret("key")).equals(known) ? "has the new one" : "has the old one");
        },
      }) })]);`;
    await using folder = await folderWith({ ...files("one", 'asking "one" {}'), "asking.mjs": asking });
    const options = ["serve", "--workers", "1", "--use", "./asking.mjs"];
    await using command = start(options, { cwd: folder.path });
    const [, which] = await command.line(/has the (\w+) one/);
    expect(which).toBe("new");
    await command.line(/leads 1 worker/);
  });

  test("that is slow to leave gets no new connection after the answer to a rework", async () => {
    // What the leader tells the first worker at its end comes late, as on a busy machine.
    const late = `import { existsSync, writeFileSync } from "node:fs";
      import { pack } from "${import.meta.resolve("@hemi/hemi")}";
      if (process.title.includes("worker") && !existsSync("is-second")) {
        writeFileSync("is-second", "");
        const { emit } = process;
        process.emit = (...args) => args[1]?.name === "quit"
          ? void setTimeout(() => emit.apply(process, args), 500)
          : emit.apply(process, args);
      }
      export default pack("test", []);`;
    const pid = "export default function handle(req, resp) { resp.end(String(process.pid)); }";
    await using folder = await folderWith({ ...files(), "late.mjs": late, "loop.ts": pid });
    await using program = await serve(folder.path, "--workers", "1", "--use", "./late.mjs");
    await program.call("rework");
    const answers = await Promise.all(Array.from({ length: 32 }, () => ask(program.port, "/loop")));
    const ready = (await workersOf(program)).filter(({ state }) => state === "ready");
    expect(new Set(answers)).toEqual(new Set(ready.map((worker) => String(worker.pid))));
    await program.end();
  });
});

describe("a program", () => {
  test("that is killed leaves no process behind", async () => {
    await using folder = await folderWith(files());
    await using program = await serve(folder.path, "--grace", "1s");
    const workers = await workersOf(program);
    program.command.child.kill("SIGKILL");
    await expect.poll(() => workers.some(({ pid }) => isAlive(pid)), { timeout: 10_000 }).toBe(false);
    // The next one replaces the control socket that was left.
    await using next = await serve(folder.path);
    expect(await ask(next.port)).toBe("one");
    await next.end();
  });

  test("with the vars folder of another one says whose it is, and does not start", async () => {
    await using folder = await folderWith(files());
    await using program = await serve(folder.path);
    const { code, stderr } = await run(["serve"], { cwd: folder.path });
    expect(stderr).toContain(`its leader is process ${program.command.child.pid ?? 0}`);
    expect(code).toBe(2);
    await program.end();
  });

  test("that does not run is told to whoever steers it, with exit code 2", async () => {
    await using folder = await folderWith({});
    const { code, stderr } = await run(["quit"], { cwd: folder.path });
    expect([code, stderr]).toEqual([2, expect.stringContaining("no program runs there") as string]);
  });

  test("closes control connections that do not follow the protocol, and serves the others", async () => {
    await using folder = await folderWith(files());
    await using program = await serve(folder.path);
    for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "\u007f\u0000\u0000\u0000"]) {
      const socket = connect(join(folder.path, "vars", "hemi.sock"));
      socket.on("error", () => {}).write(bytes);
      await once(socket, "close");
    }
    // Half a frame, which never becomes whole.
    const half = connect(join(folder.path, "vars", "hemi.sock")).on("error", () => {});
    half.write(Buffer.from([0, 0]));
    expect(await workersOf(program)).toHaveLength(2);
    half.destroy();
    await program.end();
  });
});

test("a program that is told to end while its second worker boots leaves no process", async () => {
  await using folder = await folderWith(files());
  const command = start(["serve", "--workers", "2"], { cwd: folder.path });
  await command.line(/listens on/);
  command.child.kill("SIGTERM");
  const { code, stderr } = await command.finished();
  expect(code).toBe(0);
  expect(stderr).not.toMatch(/not closed|the leader is gone/);
});

test("a program that is told to end while its second worker boots lets the first one finish its requests", async () => {
  const pack = `import { defineAddon, pack } from "${import.meta.resolve("@hemi/hemi")}";
    export default pack("test", [defineAddon({ sign: "endless", create: ({ workers }) => ({
      prepare: () => workers.slot === 1 ? new Promise(() => console.error("worker 1 boots")) : undefined,
    }) })]);`;
  const slow = `import { existsSync } from "node:fs";
    import { setTimeout as sleep } from "node:timers/promises";
    export default async function handle(req, resp) {
      console.error("the request has come");
      while (!existsSync("go-on")) await sleep(20);
      resp.end("finished");
    }`;
  await using folder = await folderWith({ ...files("one", 'endless "one" {}'), "pack.mjs": pack, "loop.ts": slow });
  const options = ["serve", "--workers", "2", "--use", "./pack.mjs", "--grace", "60s"];
  await using command = start(options, { cwd: folder.path });
  const [, port] = await command.line(/listens on 127\.0\.0\.1:(\d+)/);
  await command.line(/worker 1 boots/);
  const answer = ask(Number(port), "/loop");
  await command.line(/the request has come/);
  command.child.kill("SIGTERM");
  const pids = async () =>
    (await callProgram({ path: join(folder.path, "vars", "hemi.sock") }, "pids", undefined)).workers;
  await expect.poll(pids, { timeout: 60_000 }).toHaveLength(1);
  await writeFile(join(folder.path, "go-on"), "");
  expect(await answer).toBe("finished");
  expect((await command.finished()).code).toBe(0);
});
