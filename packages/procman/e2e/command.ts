// Runs the hemi command from its sources, as a process of its own.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const hemi = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** Compiled code is kept between runs: without it, a process takes three times the time to start. */
const compileCache = join(tmpdir(), `hemi-test-code-${userInfo().uid}`);

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  /** The first line on standard error that matches. Rejects if the process ends without one. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** What it has written to standard error so far. */
  written(): string;
  finished(): Promise<Finished>;
}

export interface RunOptions {
  readonly cwd?: string;
  /** The module that Node.js is started with. Default: that of the hemi command. */
  readonly main?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Its user and group id. Default: those of the test. */
  readonly uid?: number;
  /** Whether it leads a session of its own, as a program in the background does. Default: false. */
  readonly detached?: boolean;
  /** A descriptor that is its standard output. Default: a pipe, which is read. */
  readonly stdout?: number;
}

/** Tests run side by side, and the web UI has one port by default: it is off where a test does not ask for it. */
function withoutWebUI(args: readonly string[]): readonly string[] {
  const asks = ["--webui", "--single", "--dev", "--help"].some((option) => args.includes(option));
  return args[0] === "serve" && !asks ? [...args, "--webui", "off"] : args;
}

/** Starts the command; disposing ends it, whatever it is doing. */
export function start(
  args: readonly string[],
  { cwd, main = hemi, env, input, uid, detached, stdout: output }: RunOptions = {},
): Running {
  const child = spawn(process.execPath, ["--conditions=@hemi/source", main, ...withoutWebUI(args)], {
    cwd,
    detached,
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache, ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
    stdio: ["pipe", output ?? "pipe", "pipe"],
  });
  child.stdin?.end(input ?? "");
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const closed = once(child, "close");
  return {
    child,
    async line(pattern) {
      for (;;) {
        const match = pattern.exec(stderr);
        if (match !== null) return match;
        const event = await Promise.race([once(child.stderr ?? child, "data"), closed.then(() => "closed")]);
        if (event === "closed" && !pattern.test(stderr))
          throw new Error(`it ended without ${String(pattern)}: ${stderr}`);
      }
    },
    written: () => stderr,
    async finished() {
      await closed;
      return { code: child.exitCode, stdout, stderr };
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await closed;
    },
  };
}

export function run(args: readonly string[], options?: RunOptions): Promise<Finished> {
  return start(args, options).finished();
}

/** A folder with files in it, until it is disposed. */
export async function folderWith(files: Readonly<Record<string, string>>): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "hemi-command-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
