// A program in a container: its init is process 1, passes signals on to the leader, and reaps orphans.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { folderWith } from "./command.ts";
import { ask, files, steering } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const namespace = ["--pid", "--fork", "--mount-proc", "--kill-child"];

/** Says in what state the processes of the namespace are, by /proc. */
const orphans = `import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
export default function handle(req, resp) {
  // An orphan: its parent ends at once.
  if (req.url === "/loop") spawnSync("sh", ["-c", "sleep 0.05 & exit 0"]);
  resp.end(readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).map((pid) => {
    try { return pid + readFileSync("/proc/" + pid + "/stat", "latin1").replace(/.*\\) /, " ").slice(0, 2); } catch { return ""; }
  }).join(","));
}
`;

const isPossible = spawnSync("unshare", [...namespace, "tini", "--version"]).status === 0;

function startInNamespace(cwd: string, init: readonly string[]) {
  const serve = [process.execPath, "--conditions=@hemi/source", main, "serve", "--workers", "1"];
  const child = spawn("unshare", [...namespace, ...init, ...serve], { cwd });
  let text = "";
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { child, said: () => text, [Symbol.dispose]: () => void child.kill("SIGKILL") };
}

test.skipIf(!isPossible)("an init as process 1 reaps orphans and passes SIGTERM on", async () => {
  await using folder = await folderWith({ ...files(), "loop.ts": orphans });
  using program = startInNamespace(folder.path, ["tini", "--"]);
  const ended = once(program.child, "exit");
  await expect.poll(program.said, { timeout: 40_000 }).toContain("leads 1 worker");
  expect(program.said()).not.toContain("process 1");
  const [, port = ""] = /listens on 127\.0\.0\.1:(\d+)/.exec(program.said()) ?? [];
  // The init may be at work at this moment.
  expect(await ask(Number(port), "/loop")).toMatch(/^1 [RSD],/);
  await expect.poll(() => ask(Number(port), "/loop"), { timeout: 40_000 }).not.toContain(" Z");
  // The process that unshare has forked, whose number in this namespace the kernel knows.
  const children = await readFile(`/proc/${program.child.pid ?? 0}/task/${program.child.pid ?? 0}/children`, "latin1");
  process.kill(Number(children.trim()), "SIGTERM");
  await ended;
  expect(program.said()).toContain("ends because of SIGTERM");
});

test.skipIf(!isPossible)("a leader that is process 1 says what it cannot do", async () => {
  await using folder = await folderWith(files());
  using program = startInNamespace(folder.path, []);
  const ended = once(program.child, "exit");
  await expect.poll(program.said, { timeout: 40_000 }).toContain("is process 1, which must reap orphans");
  await expect.poll(program.said, { timeout: 40_000 }).toContain("leads 1 worker");
  expect(await steering(folder.path)("rework", "--leader")).toMatch(/^1 .*cannot be replaced: it is process 1/);
  const children = await readFile(`/proc/${program.child.pid ?? 0}/task/${program.child.pid ?? 0}/children`, "latin1");
  process.kill(Number(children.trim()), "SIGTERM");
  await ended;
  expect(program.said()).toContain("ends because of SIGTERM");
});
