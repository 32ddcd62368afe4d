// A program as a service: a parent of the test's own passes a socket to it and hears of its state, as systemd does.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { folderWith } from "./command.ts";
import { ask, files, site, steering } from "./program.ts";

vi.setConfig({ testTimeout: 180_000 });

const parent = fileURLToPath(new URL("systemd-parent.py", import.meta.url));
const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** The site at the port of the parent's socket. */
const socketSite = (text: string) => site(text).replace('"127.0.0.1:0"', '"127.0.0.1:" + %env(PORT)');

test("a service listens on the sockets of its parent, and tells its state and its new leader", async () => {
  // What a worker sees of the variables for its leader.
  const seen = `import { pack } from "${import.meta.resolve("@hemi/hemi")}";
    console.error("sees", Object.keys(process.env).filter((name) => name.startsWith("LISTEN_")));
    export default pack("test", []);`;
  await using folder = await folderWith({ ...files(), "hemi.conf": socketSite("one"), "seen.mjs": seen });
  const steer = steering(folder.path);
  const serve = [process.execPath, "--conditions=@hemi/source", main, "serve", "--workers", "2", "--use", "./seen.mjs"];
  const child = spawn("python3", [parent, folder.path, ...serve], { cwd: folder.path });
  let told = "";
  let logged = "";
  child.stdout.on("data", (chunk: Buffer) => (told += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (logged += chunk.toString()));
  const closed = once(child, "close");
  await using _ = { [Symbol.asyncDispose]: () => steer("stop").then(() => undefined) };
  const patiently = { timeout: 60_000 };

  await expect.poll(() => told, patiently).toMatch(/READY=1 MAINPID=\d+/);
  const [, pid = ""] = /^PID (\d+)/.exec(told) ?? [];
  expect(told).toContain(`READY=1 MAINPID=${pid}\n`);
  const [, port = ""] = /listens on 127\.0\.0\.1:(\d+)/.exec(logged) ?? [];
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask(Number(port))));
  expect(new Set(answers)).toEqual(new Set(["one"]));
  expect(logged).toMatch(/no server listens on these sockets.*spare \(127\.0\.0\.1:\d+\)/);
  await expect.poll(() => told, patiently).toContain("WATCHDOG=1");
  expect(logged.match(/^sees .*$/gm)).toEqual(["sees []", "sees []"]);

  await writeFile(join(folder.path, "hemi.conf"), socketSite("two"));
  told = "";
  process.kill(Number(pid), "SIGHUP");
  await expect.poll(() => told, patiently).toMatch(/RELOADING=1 MONOTONIC_USEC=\d+\n(?:WATCHDOG=1\n)*READY=1/);
  expect(await ask(Number(port))).toBe("two");

  told = "";
  await steer("rework", "--leader");
  await expect.poll(() => told, patiently).toContain(`ENDED ${pid}\n`);
  const [, next = ""] = /READY=1 MAINPID=(\d+)/.exec(told) ?? [];
  expect(await steer("pids")).toMatch(new RegExp(`^${next} \\d+ \\d+\n$`));
  expect(await ask(Number(port))).toBe("two");
  told = "";
  await expect.poll(() => told, patiently).toContain("WATCHDOG=1");
  expect(told).not.toContain("STOPPING=1");

  process.kill(Number(next), "SIGTERM");
  await closed;
  expect(told).toContain("STOPPING=1");
});
