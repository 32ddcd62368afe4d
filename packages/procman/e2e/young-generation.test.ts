// How large the young generation of a process is when it has made much garbage, some of which lives for a while.

import { expect, test, vi } from "vitest";
import { folderWith, start } from "./command.ts";
import { ask, files } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

const patiently = { timeout: 60_000 };

/** Makes some 100 MB of it, and tells the size in MB. */
const wasteful = `import { getHeapSpaceStatistics } from "node:v8";
export default function handle(req, res) {
  let kept = [];
  for (let i = 0; i < 100_000; i++) {
    kept.push(Array.from({ length: 100 }, () => i));
    if (kept.length > 5000) kept = kept.slice(2500);
  }
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
  res.end(String(space.space_size / 1024 / 1024));
}
`;

test.each([
  { what: "a worker has two semi-spaces of 8 MB at most", args: ["--workers", "1"], least: 1, most: 16 },
  { what: "so has a single process", args: ["--single"], least: 1, most: 16 },
  { what: "a worker has what the user chose", args: ["--workers", "1"], chosen: 16, least: 32, most: 32 },
  { what: "a single process has what the user chose", args: ["--single"], chosen: 16, least: 32, most: 32 },
])("$what", async ({ args, chosen, least, most }) => {
  await using folder = await folderWith({ ...files(), "loop.ts": wasteful });
  const env = chosen === undefined ? {} : { NODE_OPTIONS: `--max-semi-space-size=${chosen}` };
  await using program = start(["serve", ...args], { cwd: folder.path, env });
  const [, port = ""] = await program.line(/listens on 127\.0\.0\.1:(\d+)/);
  // Pages that hold the survivors of a collection may come on top for a moment.
  const isWithin = (size: number): boolean => size >= least && size <= most;
  await expect.poll(async () => isWithin(Number(await ask(Number(port), "/loop"))), patiently).toBe(true);
});
