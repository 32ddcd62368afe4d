import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { queueTimeReader } from "./queue-time.ts";

const module = new URL("queue-time.ts", import.meta.url).href;

/** Prints the queue time of its main thread after each step; it shares a processor with one that is always busy. */
const program = `
  import { Worker } from "node:worker_threads";
  const { queueTimeReader } = await import(${JSON.stringify(module)});
  const read = queueTimeReader();
  const before = read();
  const busy = new Worker("const end = Date.now() + 2000; while (Date.now() < end);", { eval: true });
  const end = Date.now() + 2000;
  while (Date.now() < end);
  console.log(read() - before > 100);
  await busy.terminate();
`;

test.runIf(existsSync("/proc/self/schedstat"))("a thread that shares its processor waits for it", async () => {
  const args = ["-c", "0", process.execPath, "--input-type=module", "--eval", program];
  const child = spawn("taskset", args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  for await (const piece of child.stdout) output += String(piece);
  expect(output).toBe("true\n");
});

test("the queue time never goes back", () => {
  const read = queueTimeReader();
  const first = read();
  expect(first).toBeGreaterThanOrEqual(0);
  expect(read()).toBeGreaterThanOrEqual(first);
});
