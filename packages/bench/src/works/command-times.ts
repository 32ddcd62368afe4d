// How long the command takes: to check a large file, and to listen.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { median } from "../comparison.ts";
import { hemiCommand, root } from "../machine.ts";
import { accepting, freePort } from "../server-process.ts";
import { manyRules } from "../servers/many-rules.ts";
import type { Result, Work } from "../work.ts";

const runs = 7;

export const checkTime: Work = {
  name: "hemi check of 2,000 rules",
  needs: [],
  async run() {
    const file = manyRules(2000, "^=");
    return [
      toResult(await times(() => promisify(execFile)(hemiCommand, ["check", "--config", file])), "500 ms", "200 ms"),
    ];
  },
};

export const startTime: Work = {
  name: "from start to listening, welcome configuration",
  needs: [],
  async run() {
    const welcome = join(root, "examples/welcome");
    const args = [
      "serve",
      "--config",
      join(welcome, "welcome.conf"),
      "--base",
      welcome,
      "--use",
      join(welcome, "welcome.ts"),
    ];
    const measured: number[] = [];
    for (let run = 0; run < runs; run++) {
      const port = await freePort();
      const began = performance.now();
      const child = spawn(hemiCommand, args, { stdio: "ignore", env: { ...process.env, PORT: String(port) } });
      await accepting(port, child, () => "");
      measured.push(performance.now() - began);
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    return [toResult(measured, "200 ms", "120 ms")];
  },
};

async function times(run: () => Promise<unknown>): Promise<readonly number[]> {
  const measured: number[] = [];
  for (let i = 0; i < runs; i++) {
    const began = performance.now();
    await run();
    measured.push(performance.now() - began);
  }
  return measured;
}

function toResult(measured: readonly number[], atLeast: string, aim: string): Result {
  const range = `${Math.round(Math.min(...measured))}–${Math.round(Math.max(...measured))}`;
  const figure = `${Math.round(median(measured))} ms (${range})`;
  return { against: "", ours: figure, theirs: "", figure, atLeast, aim };
}
