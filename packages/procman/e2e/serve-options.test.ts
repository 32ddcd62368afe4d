// What the options of `hemi serve` do that concern the program as a whole.

import { execFileSync } from "node:child_process";
import { chmod, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { folderWith, run, start } from "./command.ts";
import { needsOtherUsers } from "./other-users.ts";
import { ask, files, isAlive, serve, site, steering, workersOf } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

const patiently = { timeout: 40_000 };

/** Says at /draining whether the program drains, and writes to both outputs at its start. */
const talker = `import { defineHandlet, pack } from "${import.meta.resolve("@hemi/hemi")}";
console.log("said by worker " + process.pid);
console.error("cried by worker " + process.pid);
export default pack("test", [defineHandlet({ sign: "talker", create: ({ workers }) => ({
  handle(req, resp) { console.log("asked"); resp.send(String(workers.isDraining)); return true; } }) })]);
`;

const talkerFiles = () => ({
  ...files(),
  "hemi.conf": site("one").replace(/rule \{.*?\}/, "rule { talker {} }"),
  "talker.mjs": talker,
});

describe("--pid-file", () => {
  test("has the process id of the leader while the program runs", async () => {
    await using folder = await folderWith({ ...files(), "hemi.pid": "999999\n" });
    const path = join(folder.path, "hemi.pid");
    await using program = await serve(folder.path, "--pid-file", "hemi.pid");
    expect(await readFile(path, "utf8")).toBe(`${program.command.child.pid ?? 0}\n`);
    // Another program, with a folder of its own, and the same file.
    const second = await run(["serve", "--vars", "other", "--pid-file", "hemi.pid"], { cwd: folder.path });
    expect(second.stderr).toContain(`belongs to process ${program.command.child.pid ?? 0}, which runs`);
    expect(second.code).toBe(2);
    expect(await readFile(path, "utf8")).toBe(`${program.command.child.pid ?? 0}\n`);
    await program.end();
    await expect(stat(path)).rejects.toThrow("ENOENT");
  });

  test("of an ended program is replaced, though another process has its number by now", async () => {
    await using folder = await folderWith({ ...files() });
    const path = join(folder.path, "hemi.pid");
    await writeFile(path, `${process.pid}\n`);
    // Written before this process began.
    execFileSync("touch", ["-d", "2020-01-01", path]);
    await using program = await serve(folder.path, "--pid-file", "hemi.pid");
    expect(await readFile(path, "utf8")).toBe(`${program.command.child.pid ?? 0}\n`);
    await program.end();
  });

  test.skipIf(process.getuid?.() !== 0)("on a full disk prevents the start, and leaves nothing behind", async () => {
    await using folder = await folderWith({ ...files() });
    const disk = join(folder.path, "disk");
    await mkdir(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4k", "none", disk]);
    try {
      await writeFile(join(disk, "filler"), "x".repeat(4096));
      const { code, stderr } = await run(["serve", "--pid-file", "disk/hemi.pid"], { cwd: folder.path });
      expect(stderr).toMatch(/the pid file disk\/hemi\.pid cannot be written: ENOSPC/);
      expect(code).toBe(2);
      expect(execFileSync("ls", [disk]).toString()).toBe("filler\n");
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});

describe("--stdout and --stderr", () => {
  test("take what workers write, and follow files that were moved", async () => {
    await using folder = await folderWith(talkerFiles());
    const path = (name: string) => join(folder.path, "logs", name);
    const options = ["--use", "./talker.mjs", "--stdout", "logs/out", "--stderr", "logs/err", "--workers", "1"];
    const command = start(["serve", ...options], { cwd: folder.path });
    await using _ = command;
    const read = (name: string) => readFile(path(name), "utf8").catch(() => "");
    await expect.poll(() => read("err"), patiently).toContain("leads 1 worker");
    expect(await read("out")).toMatch(/^said by worker \d+\n$/);
    expect(await read("err")).toMatch(/cried by worker \d+\n/);
    const [, port = ""] = /listens on 127\.0\.0\.1:(\d+)/.exec(await read("err")) ?? [];
    await rename(path("out"), path("out.1"));
    expect(await steering(folder.path)("reopen")).toBe("opened its logs anew\n");
    await ask(Number(port));
    await expect.poll(() => read("out"), patiently).toBe("asked\n");
    expect(await read("out.1")).toMatch(/^said by worker \d+\n$/);
    command.child.kill("SIGTERM");
    expect(await command.finished()).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(await read("err")).toContain("ends because of SIGTERM");
  });
});

describe("--daemon", () => {
  const started: number[] = [];
  afterEach(() => {
    for (const pid of started.splice(0)) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  });

  test("returns when the program serves, which goes on in the background", async () => {
    await using folder = await folderWith(files());
    const steer = steering(folder.path);
    const options = ["serve", "--daemon", "--workers", "1", "--pid-file", "hemi.pid"];
    const { code, stdout, stderr } = await run(options, { cwd: folder.path });
    expect([code, stderr]).toEqual([0, ""]);
    started.push(Number(stdout));
    expect(await readFile(join(folder.path, "hemi.pid"), "utf8")).toBe(stdout);
    const log = await readFile(join(folder.path, "logs", "stderr.log"), "utf8");
    const [, port = ""] = /listens on 127\.0\.0\.1:(\d+)/.exec(log) ?? [];
    expect(await ask(Number(port))).toBe("one");
    // In a session of its own: the end of a terminal does not reach it.
    expect(execFileSync("ps", ["-o", "sid=", "-p", stdout.trim()]).toString().trim()).toBe(stdout.trim());
    expect(await steer("quit")).toBe("ends when what runs is finished\n");
    await expect.poll(() => isAlive(Number(stdout)), patiently).toBe(false);
  });

  test("says why the program does not serve, with its exit code", async () => {
    await using folder = await folderWith({ "hemi.conf": "stage { nothing {} }\n" });
    const { code, stdout, stderr } = await run(["serve", "--daemon"], { cwd: folder.path });
    expect(stderr).toMatch(/^hemi\.conf:1:9 HEMI_CONFIG_UNKNOWN_SIGN/);
    expect([code, stdout]).toEqual([1, ""]);
  });
});

describe.skipIf(process.getuid?.() !== 0)("--user", () => {
  test("gives workers the rights of a user with its group, after the leader has bound the port", async (context) => {
    needsOtherUsers(context);
    await using folder = await folderWith(files());
    await chmod(folder.path, 0o755);
    const port = await freeLowPort();
    await writeFile(join(folder.path, "hemi.conf"), site("one").replace("127.0.0.1:0", `127.0.0.1:${port}`));
    await using program = await serve(folder.path, "--user", "nobody");
    const [nobody, nogroup] = execFileSync("sh", ["-c", "id -u nobody; id -g nobody"]).toString().split("\n");
    for (const { pid } of await workersOf(program)) {
      const status = await readFile(`/proc/${pid}/status`, "utf8");
      expect(status).toMatch(new RegExp(`^Uid:\t${nobody}\t${nobody}\t${nobody}\t${nobody}$`, "m"));
      expect(status).toMatch(new RegExp(`^Gid:\t${nogroup}\t${nogroup}\t${nogroup}\t${nogroup}$`, "m"));
      // No group of root is left.
      expect(status).toMatch(/^Groups:\s*$/m);
    }
    expect(await ask(program.port)).toBe("one");
    // A reload, too, is checked and followed with these rights.
    await writeFile(join(folder.path, "hemi.conf"), site("two").replace("127.0.0.1:0", `127.0.0.1:${port}`));
    expect(await program.steer("reload")).toContain("components change");
    expect(await ask(program.port)).toBe("two");
    await program.end();
  });

  /** One that needs a privilege, and that nobody listens on. */
  async function freeLowPort(): Promise<number> {
    const { createServer } = await import("node:net");
    for (let port = 1023; port > 600; port--) {
      const isFree = await new Promise<boolean>((resolve) => {
        const server = createServer().on("error", () => resolve(false));
        server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
      });
      if (isFree) return port;
    }
    throw new Error("no port below 1024 is free");
  }
});

describe("--drain-delay", () => {
  test("lets the program serve on at its end, while components know that it drains", async () => {
    await using folder = await folderWith(talkerFiles());
    // Long enough that the test is ended by a second signal.
    await using program = await serve(folder.path, "--use", "./talker.mjs", "--drain-delay", "10m");
    expect(await ask(program.port)).toBe("false");
    program.command.child.kill("SIGTERM");
    const all = () => Promise.all(Array.from({ length: 16 }, () => ask(program.port)));
    await expect.poll(async () => new Set(await all()), patiently).toEqual(new Set(["true"]));
    program.command.child.kill("SIGTERM");
    expect((await program.command.finished()).code).toBe(143);
    await expect(ask(program.port)).rejects.toThrow("ECONNREFUSED");
  });

  test.each([["--single"], ["--workers=1"]])("is followed by the end (%s)", async (mode) => {
    await using folder = await folderWith(talkerFiles());
    const options = ["serve", mode, "--use", "./talker.mjs", "--drain-delay", "1ms"];
    await using command = start(options, { cwd: folder.path });
    await command.line(/listens on/);
    if (mode !== "--single") await command.line(/leads 1 worker/);
    command.child.kill("SIGTERM");
    expect((await command.finished()).code).toBe(0);
  });
});
