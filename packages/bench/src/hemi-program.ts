// A program of Hemi with a leader and workers in a folder of its own, and its control socket.

import { once } from "node:events";
import { mkdtemp, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Messenger } from "@hemi/common";
import { hemiCommand } from "./machine.ts";
import { startServer, type ServerProcess } from "./server-process.ts";

export interface ProgramOptions {
  /** The text of its configuration, which listens on `%env(PORT)`. */
  readonly config: string;
  readonly workers: number;
  readonly args?: readonly string[];
  /** Whether it shares the core of servers. Default: true. */
  readonly isPinned?: boolean;
  /** Modules that each of its processes loads first. Default: none. */
  readonly imports?: readonly string[];
}

export interface HemiProgram extends ServerProcess {
  /** Writes another text to its configuration file, which it does not follow yet. */
  write(config: string): Promise<void>;
  /** Calls an action. Rejects if the program refuses. */
  call(action: string, params?: unknown): Promise<unknown>;
  /** When all are ready. */
  workers(): Promise<readonly WorkerFigures[]>;
}

export interface WorkerFigures {
  readonly pid: number;
  readonly conns: number;
}

/** Resolves when all workers are ready. */
export async function startProgram({
  config,
  workers: count,
  args = [],
  isPinned = true,
  imports = [],
}: ProgramOptions): Promise<HemiProgram> {
  const folder = await mkdtemp(join(tmpdir(), "hemi-bench-program-"));
  const file = join(folder, "hemi.conf");
  await writeFile(file, config);
  const options = ["--workers", String(count), "--webui", "off", "--log-level", "error", ...args];
  const command = [hemiCommand, "serve", "--config", file, "--base", folder, "--vars", folder, ...options];
  const env = { NODE_OPTIONS: [process.env["NODE_OPTIONS"], ...imports.map((path) => `--import=${path}`)].join(" ") };
  const server = await startServer(() => command, { isPinned, env });
  const call = (action: string, params?: unknown): Promise<unknown> =>
    callAction(join(folder, "hemi.sock"), action, params);
  async function workers(): Promise<readonly WorkerFigures[]> {
    for (;;) {
      const found = await call("workers");
      const ready = Array.isArray(found) ? found.filter(isReady) : [];
      if (ready.length === count) return ready;
      await sleep(20);
    }
  }
  await workers();
  return { ...server, write: (text) => writeFile(file, text), call, workers };
}

function isReady(worker: unknown): worker is WorkerFigures {
  return typeof worker === "object" && worker !== null && "state" in worker && worker.state === "ready";
}

async function callAction(path: string, action: string, params: unknown): Promise<unknown> {
  const socket = connect(path);
  await once(socket, "connect");
  const program = new Messenger(socket);
  try {
    return await program.call(action, params);
  } finally {
    program.close();
    socket.destroy();
  }
}
