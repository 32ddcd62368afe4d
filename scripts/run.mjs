// Runs a program and keeps what it prints: steps are quiet unless they fail.
import { spawn } from "node:child_process";
import { root, toolEnvironment } from "./workspace.mjs";

/**
 * Resolves to `{ code, output }`, the output being both streams in the order in which they came. A program that cannot
 * be started has the code 127, one that a signal ended 128 and the signal is named in the output.
 */
export function run(program, args, { cwd = root, env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...toolEnvironment(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", (error) => resolve({ code: 127, output: `${program}: ${error.message}` }));
    child.on("close", (code, signal) => {
      const output = Buffer.concat(chunks).toString();
      resolve(signal === null ? { code, output } : { code: 128, output: `${output}\n${program}: ended by ${signal}` });
    });
  });
}
