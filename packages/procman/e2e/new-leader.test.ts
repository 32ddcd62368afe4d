// A new leader takes a program over while it serves, or does not, and the old one goes on.

import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { countGroups } from "@hemi/hemi/base";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { folderWith, type RunOptions } from "./command.ts";
import { load } from "./load.ts";
import { handoverVersion } from "../src/channel/handover.ts";
import { ask, files, isAlive, serve, serveWith, site, type Program } from "./program.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const patiently = { timeout: 60_000 };

/** Ends the leader that leads in the end, which is no child of the test. */
function ending(program: Program): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => program.steer("stop").then(() => undefined) };
}

/** The processes that a process has started. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, "latin1");
  return list.split(" ").filter(Boolean).map(Number);
}

/** The process that a process starts, besides those that it has. */
async function newChildOf(pid: number, known: readonly number[]): Promise<number> {
  const isNew = (child: number): boolean => !known.includes(child);
  await expect.poll(async () => (await childrenOf(pid)).filter(isNew).length, patiently).toBe(1);
  return (await childrenOf(pid)).find(isNew) ?? 0;
}

/** The workers of a leader that gets ready: it starts the first one, and others at once if there are CPUs for them. */
async function workersStartedBy(pid: number): Promise<readonly number[]> {
  await expect.poll(async () => (await childrenOf(pid)).length, patiently).toBeGreaterThan(0);
  return await childrenOf(pid);
}

async function askByPath(socketPath: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    get({ socketPath, path: "/", agent: false }, (response) => resolve(text(response))).on("error", reject);
  });
}

/** Asks the control socket for the processes until it is stopped. */
function watchPids(program: Program): () => Promise<readonly number[]> {
  const leaders = new Set<number>();
  let isOver = false;
  const watching = (async () => {
    while (!isOver) leaders.add((await program.call("pids")).leader);
  })();
  return async () => {
    isOver = true;
    await watching;
    return [...leaders];
  };
}

test("a new leader takes over under load: no request fails, and no command", async () => {
  const more = 'httpxServer "local" { .webapps = ("hello") .address = %baseDir + "/local.sock" }';
  await using folder = await folderWith(files("one", more));
  const pidFile = join(folder.path, "leader.pid");
  const options = { cwd: folder.path, detached: true };
  await using program = await serveWith(options, "--pid-file", pidFile, "--admin", "127.0.0.1:0", "--patience", "90s");
  await using _ = ending(program);
  const [, admin = ""] = await program.command.line(/takes commands on (127\.0\.0\.1:\d+)/);
  const first = program.command.child.pid ?? 0;
  // Edited, and not reloaded: a new leader must not read it.
  await writeFile(join(folder.path, "hemi.conf"), "broken");

  const requests = load(program.port, { kept: 2, anew: 1 });
  const watched = watchPids(program);
  await expect.poll(() => requests.answered, patiently).toBeGreaterThan(20);
  const before = await program.call("workers");
  const [, second] = /^process (\d+) leads, with 2 workers\n$/.exec(await program.steer("rework", "--leader")) ?? [];
  await expect.poll(() => isAlive(first), patiently).toBe(false);
  expect(before.some(({ pid }) => isAlive(pid))).toBe(false);
  const [, third] = /^process (\d+) leads, with 2 workers\n$/.exec(await program.steer("rework", "--leader")) ?? [];
  await expect.poll(() => isAlive(Number(second)), patiently).toBe(false);
  const answered = await requests.stop();
  expect(requests.failed, program.command.written()).toEqual([]);
  expect(new Set(await watched())).toEqual(new Set([first, Number(second), Number(third)]));

  expect((await program.call("pids")).leader).toBe(Number(third));
  expect(await readFile(pidFile, "utf8")).toBe(`${third ?? ""}\n`);
  expect(await program.steer("pids", "--admin", admin)).toMatch(new RegExp(`^${third ?? ""} \\d+ \\d+\n$`));
  const at: Readonly<Record<string, number>> = countGroups.find(({ name }) => name === "request")?.at ?? {};
  const counted = (await program.call("counts")).filter(({ group }) => group === "request");
  const sum = counted.reduce((total, { values }) => total + (values[at["status2xx"] ?? -1] ?? 0), 0);
  expect(sum).toBe(answered);
  expect(await ask(program.port)).toBe("one");
  expect(await askByPath(join(folder.path, "local.sock"))).toBe("one");

  const last = await program.call("pids");
  await program.steer("quit");
  await expect.poll(() => [last.leader, ...last.workers].some(isAlive), patiently).toBe(false);
  expect(await readdir(join(folder.path, "vars"))).toEqual(["admin.token"]);
  expect(await readdir(folder.path)).not.toContain("leader.pid");
  expect(await readdir(folder.path)).not.toContain("local.sock");
});

test("a new leader brings new code of the program, its workers and its options", async () => {
  const greeter = (word: string) => `import { defineHandlet, pack } from "${import.meta.resolve("@hemi/hemi")}";
    export default pack("test", [defineHandlet({ sign: "greet", create: () => ({
      handle(req, resp) { resp.send("${word}"); return true; } }) })]);`;
  const main = (title: string) => `import { main } from "${import.meta.resolve("../src/index.ts")}";
    await main({ title: "${title}", config: "hemi.conf", use: ["./greeter.mjs"] });`;
  await using folder = await folderWith({
    ...files(),
    "hemi.conf": site("one").replace(/rule \{.*?\}/, "rule { greet {} }"),
    "greeter.mjs": greeter("old"),
    "main.mjs": main("before"),
  });
  const options = { cwd: folder.path, detached: true, main: join(folder.path, "main.mjs") };
  await using program = await serveWith(options, "--workers", "1", "--patience", "90s");
  await using _ = ending(program);
  expect([await ask(program.port), (await program.call("leader")).title]).toEqual(["old", "before"]);
  await writeFile(join(folder.path, "greeter.mjs"), greeter("new"));
  await writeFile(join(folder.path, "main.mjs"), main("after"));
  await program.call("rework", { leader: true });
  expect([await ask(program.port), (await program.call("leader")).title]).toEqual(["new", "after"]);
});

describe("a new leader that", () => {
  /** Of a program whose next leader does what `bad.mjs` says, and whose next workers do what `worse.mjs` says. */
  const programFiles = {
    ...files(),
    "pack.mjs": `import { existsSync } from "node:fs";
      import { pack } from "${import.meta.resolve("@hemi/hemi")}";
      if (existsSync("worse.mjs")) await import("./worse.mjs");
      export default pack("test", []);`,
    "main.mjs": `import { existsSync } from "node:fs";
      import { main } from "${import.meta.resolve("../src/index.ts")}";
      if (process.send !== undefined && existsSync("bad.mjs")) await import("./bad.mjs");
      await main({ title: "test", config: "hemi.conf", use: ["./pack.mjs"] });`,
  };
  const hang = "setInterval(() => {}, 1000); await new Promise(() => {});";
  const answer = (result: string) => `process.on("message", ({ id }) =>
    process.send({ "@hemi/procman": "result", id, result: ${result} })); ${hang}`;

  async function serveFiles(path: string, patience: string): Promise<Program> {
    const options: RunOptions & { cwd: string } = { cwd: path, detached: true, main: join(path, "main.mjs") };
    return await serveWith(options, "--workers", "1", "--patience", patience, "--pid-file", "leader.pid");
  }

  let folder: Awaited<ReturnType<typeof folderWith>>;
  let program: Program;
  beforeAll(async () => {
    folder = await folderWith(programFiles);
    program = await serveFiles(folder.path, "90s");
  });
  afterEach(async () => {
    for (const name of ["bad.mjs", "worse.mjs"]) await rm(join(folder.path, name), { force: true });
  });
  afterAll(async () => {
    await program.steer("stop");
    await program[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  /** Asks for a new leader, which fails for this reason, and the program is as it was. */
  async function failToReplace({ call, port }: Program, path: string, reason: RegExp, exitCode = 2): Promise<void> {
    const before = await call("pids");
    const processes = await childrenOf(before.leader);
    const refused: unknown = await call("rework", { leader: true }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ message: expect.stringMatching(reason), exitCode });
    expect(await call("pids")).toEqual(before);
    expect(await childrenOf(before.leader)).toEqual(processes);
    expect(await readFile(join(path, "leader.pid"), "utf8")).toBe(`${before.leader}\n`);
    expect(await readdir(join(path, "vars"))).toEqual(["hemi.sock"]);
    expect((await readdir(path)).filter((name) => name.startsWith("leader.pid"))).toEqual(["leader.pid"]);
    expect(await ask(port)).toBe("one");
  }

  test.each([
    ["throws", "bad.mjs", 'throw new Error("no luck");', /^hemi: the new leader ended with exit code 1 before it led/],
    ["speaks another version", "bad.mjs", answer("{ version: 99 }"), /the other leader speaks version 99/],
    ["is no leader", "bad.mjs", answer("{}"), /the other leader speaks an unknown version/],
    ["kills itself", "bad.mjs", 'process.kill(process.pid, "SIGKILL");', /the new leader was ended by SIGKILL/],
    ["has workers that throw", "worse.mjs", 'throw new Error("no work");', /no work/, 1],
    ["has workers that end", "worse.mjs", "process.exit(0);", /the worker ended with exit code 0 before it was/],
  ])("%s changes nothing", async (_what, file, code, reason, exitCode = 2) => {
    await writeFile(join(folder.path, file), code);
    await failToReplace(program, folder.path, reason, exitCode);
  });

  test("does not get ready, or has workers that do not, changes nothing", async () => {
    await using other = await folderWith(programFiles);
    await using hasty = await serveFiles(other.path, "8s");
    for (const file of ["bad.mjs", "worse.mjs"]) {
      await writeFile(join(other.path, file), hang);
      await failToReplace(hasty, other.path, /^hemi: .* within (?:8|16)000 ms/);
      await rm(join(other.path, file));
    }
    await hasty.end();
  });

  test("does not take over carries out no order that came meanwhile: the old one does", async () => {
    // As a leader that gets ready, and ends when it is to lead.
    await writeFile(
      join(folder.path, "bad.mjs"),
      `import { existsSync, writeFileSync } from "node:fs";
      process.on("message", ({ id, name }) => {
        const result = (value) => process.send({ "@hemi/procman": "result", id, result: value });
        if (name === "greet") result({ version: ${handoverVersion} });
        else if (["prepare", "limits", "locks"].includes(name)) result();
        else if (name === "lead") {
          writeFileSync("leading", "");
          setInterval(() => existsSync("leading") || process.exit(7), 20);
        }
      });
      ${hang}`,
    );
    const reworked = program.call("rework", { leader: true }).catch((error: unknown) => String(error));
    await expect.poll(() => readdir(folder.path), patiently).toContain("leading");
    const ordered = program.call("logLevel", { level: "debug", period: 3_600_000 });
    await rm(join(folder.path, "leading"));
    expect(await reworked).toMatch(/the new leader ended with exit code 7 before it led/);
    expect(await ordered).toHaveLength(1);
    expect((await program.call("leader")).logLevels).toHaveLength(1);
    await program.call("logLevel", { level: null });
  });

  test("waits in a queue with reloads, which the one that leads in the end answers", async () => {
    const [rework, reload, plan] = await Promise.all([
      program.call("rework", { leader: true }),
      program.call("reload"),
      program.call("plan"),
    ]);
    expect(reload.plan.changes).toEqual([]);
    expect(plan.plan.changes).toEqual([]);
    const { leader } = await program.call("pids");
    expect(rework.leader).toBe(leader);
    await expect.poll(() => isAlive(program.command.child.pid ?? 0), patiently).toBe(false);
  });

  test("is killed while it starts its workers leaves none of them", async () => {
    const { leader } = await program.call("pids");
    await writeFile(join(folder.path, "worse.mjs"), hang);
    const before = await childrenOf(leader);
    const reworked = program.call("rework", { leader: true }).catch((error: unknown) => String(error));
    const next = await newChildOf(leader, before);
    const started = await workersStartedBy(next);
    process.kill(next, "SIGKILL");
    expect(await reworked).toMatch(/the new leader was ended by SIGKILL/);
    await expect.poll(() => [next, ...started].some(isAlive), patiently).toBe(false);
    expect((await program.call("pids")).leader).toBe(leader);
    expect(await ask(program.port)).toBe("one");
  });
});

test("bans, followers of the log, and orders of the moment of a change of leaders are in force with the new one", async () => {
  const pack = `import { existsSync } from "node:fs";
    import { setTimeout as sleep } from "node:timers/promises";
    import { pack } from "${import.meta.resolve("@hemi/hemi")}";
    while (existsSync("wait")) await sleep(20);
    export default pack("test", []);`;
  // The old leader has told what it knows, and the new one does not lead yet.
  const main = `import { existsSync, writeFileSync } from "node:fs";
    import { setTimeout as sleep } from "node:timers/promises";
    import { main } from "${import.meta.resolve("../src/index.ts")}";
    const { emit } = process;
    process.emit = (name, message, ...rest) => {
      if (message?.name !== "lead") return emit.call(process, name, message, ...rest);
      writeFileSync("leading", "");
      const timer = setInterval(() => {
        if (existsSync("leading")) return;
        clearInterval(timer);
        emit.call(process, name, message, ...rest);
      }, 20);
    };
    await main({ title: "test", config: "hemi.conf", use: ["./pack.mjs"] });`;
  const config = `stage {
    webapp "site" {
        .hostnames = ("*")
        rule $path != "/open" { limiter { .strike = ("404") .maxStrikes = 3 .ban = 1h } }
        rule $path == "/missing" { .returnCode = 404 }
        rule { .returnText = "one" }
    }
    http1Backend "there" { .nodes = (["address": "127.0.0.1:9"]) }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
}`;
  await using folder = await folderWith({ "hemi.conf": config, "pack.mjs": pack, "main.mjs": main });
  const options = { cwd: folder.path, detached: true, main: join(folder.path, "main.mjs") };
  await using program = await serveWith(options, "--patience", "90s");
  await using _ = ending(program);
  for (let i = 0; i < 4; i++) await ask(program.port, "/missing");
  await expect.poll(() => ask(program.port), patiently).not.toBe("one");

  const { follower } = await program.call("logs", { filter: { path: "/open" } });
  const { leader, workers } = await program.call("pids");
  await writeFile(join(folder.path, "wait"), "");
  const reworked = program.call("rework", { leader: true });
  await workersStartedBy(await newChildOf(leader, workers));
  await program.call("steerNode", { backend: "there", node: "127.0.0.1:9", isDrained: true });
  const before = await program.call("leader");
  await rm(join(folder.path, "wait"));
  await expect.poll(() => readdir(folder.path), patiently).toContain("leading");
  const ordered = program.call("logLevel", { level: "debug", period: 3_600_000 });
  await rm(join(folder.path, "leading"));
  const { leader: next } = await reworked;
  expect(await ordered).toHaveLength(1);

  const after = await program.call("leader");
  expect([after.pid, after.nodeOrders, after.logLevels.length]).toEqual([next, before.nodeOrders, 1]);
  await expect.poll(() => isAlive(leader), patiently).toBe(false);
  // A worker lets the first request pass while it asks the leader.
  await expect.poll(() => ask(program.port), patiently).not.toBe("one");
  expect(await ask(program.port, "/open")).toBe("one");
  await expect.poll(async () => (await program.call("logs", { follower })).lines, patiently).toHaveLength(1);
});

test("the last lines of an old leader reach the addons of the new workers, which send the error log elsewhere", async () => {
  await using folder = await folderWith(files());
  const path = join(folder.path, "syslog.sock");
  let received = "";
  await using server = createServer((socket) => void socket.on("data", (bytes) => (received += String(bytes))));
  server.listen(path);
  await writeFile(
    join(folder.path, "hemi.conf"),
    site("one", `syslog "central" { .address = "${path}" .errorLog = true }`),
  );
  const options = ["--workers", "1", "--patience", "90s"];
  await using program = await serveWith({ cwd: folder.path, detached: true }, ...options);
  await using _ = ending(program);
  const { leader } = await program.call("pids");
  await program.call("rework", { leader: true });
  await expect.poll(() => received, patiently).toContain(" leader finishes what runs, and ends: there is a new leader");
  await expect.poll(() => isAlive(leader), patiently).toBe(false);
});

test("an old leader that is killed before it has let go leaves no process", async () => {
  const pack = `import { existsSync } from "node:fs";
    import { pack } from "${import.meta.resolve("@hemi/hemi")}";
    if (existsSync("wait")) await new Promise(() => setInterval(() => {}, 1000));
    export default pack("test", []);`;
  await using folder = await folderWith({ ...files(), "pack.mjs": pack });
  await using program = await serveWith(
    { cwd: folder.path, detached: true },
    ...["--use", "./pack.mjs", "--workers", "1", "--patience", "90s"],
  );
  const { leader, workers } = await program.call("pids");
  await writeFile(join(folder.path, "wait"), "");
  const reworked = program.call("rework", { leader: true }).catch((error: unknown) => String(error));
  const next = await newChildOf(leader, workers);
  const started = await workersStartedBy(next);
  process.kill(leader, "SIGKILL");
  expect(await reworked).toMatch(/closed the connection/);
  await expect.poll(() => [next, ...started, ...workers].some(isAlive), patiently).toBe(false);
});

test("a leader whose end others would take for the end of the program is not replaced", async () => {
  await using folder = await folderWith(files());
  await using program = await serve(folder.path, "--workers", "1");
  const before = await program.call("pids");
  expect(await program.steer("rework", "--leader")).toMatch(
    /^1 hemi: the leader cannot be replaced: process \d+ has started it and waits for it; .*hemi rework replaces/,
  );
  expect(await program.call("pids")).toEqual(before);
  await program.end();
});
