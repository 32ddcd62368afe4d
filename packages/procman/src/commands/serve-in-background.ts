// `hemi serve --daemon`: starts the program in a session of its own, and ends when it serves or cannot.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "@hemi/common";
import { HemiError } from "@hemi/hemi/base";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";

/** Prints the process id of the leader. Prints what the program has said, and returns its exit code, if it ends. */
export async function serveInBackground({ stdout, stderr }: CommandLine): Promise<ExitCode> {
  if (stdout === undefined || stderr === undefined)
    throw new HemiError("HEMI_USAGE", "a program in the background needs files for its output");
  await using output = await openOutput(stdout);
  await using errors = await openOutput(stderr);
  const before = await sizeOf(stderr);
  const args = process.argv.slice(1).filter((arg) => !/^--?daemon$/.test(arg));
  const child = spawn(process.execPath, [...process.execArgv, ...args, "--stdout", stdout, "--stderr", stderr], {
    detached: true,
    stdio: ["ignore", output.fd, errors.fd, "ipc"],
  });
  const ended = once(child, "exit").then(([code]) => ({ code: typeof code === "number" ? code : undefined }));
  const isReady = new Promise<undefined>((resolve) => {
    child.on("message", (message) => (message === "ready" ? resolve(undefined) : undefined));
  });
  const end = await Promise.race([isReady, ended]);
  if (end !== undefined) {
    process.stderr.write(await readFrom(stderr, before));
    return knownCodes.find((code) => code === end.code) ?? exitCodes.environment;
  }
  process.stdout.write(`${child.pid ?? "?"}\n`);
  child.disconnect();
  child.unref();
  return exitCodes.fine;
}

const knownCodes = Object.values(exitCodes);

async function openOutput(path: string) {
  try {
    await makeFolder(dirname(path));
    return await open(path, "a", 0o640);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HemiError("HEMI_FILE", `the file ${path} for output cannot be opened: ${reason}`, { cause });
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path)).size;
}

async function readFrom(path: string, start: number): Promise<string> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(maxShown), position: start });
  return buffer.toString("utf8", 0, bytesRead);
}

/** How much of the output of a program that did not start is shown, in bytes. */
const maxShown = 65_536;
