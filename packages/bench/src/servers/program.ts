// A whole program of Hemi in a folder of its own: leader, workers, web UI, and the commands that talk to it.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { hemiCommand } from "../machine.ts";
import { accepting, freePort } from "../server-process.ts";

export interface Program extends AsyncDisposable {
  readonly port: number;
  /** What a command prints. */
  command(...args: readonly string[]): Promise<string>;
}

/** `file`: the configuration, which listens at %env(PORT). */
export async function startProgram(file: string, ...options: readonly string[]): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), "hemi-bench-program-"));
  const port = await freePort();
  const args = ["serve", "--base", folder, "--config", file, "--log-level", "error", ...options];
  const child = spawn(hemiCommand, args, { stdio: "ignore", env: { ...process.env, PORT: String(port) } });
  const exited = once(child, "exit");
  await accepting(port, child, () => "");
  return {
    port,
    async command(...args) {
      const { stdout } = await promisify(execFile)(hemiCommand, [...args, "--base", folder]);
      return stdout;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
