// Programs of a leader and two workers, for tests: serve, steer, end.

import { join } from "node:path";
import type { Actions } from "../src/control/actions.ts";
import { callProgram } from "../src/control/client.ts";
import { start, type Running } from "./command.ts";

/** A program that runs. */
export interface Program extends AsyncDisposable {
  readonly command: Running;
  /** The port of its first server. */
  readonly port: number;
  /** Calls an action of its control socket, without a process for the command. */
  call<Name extends keyof Actions>(
    name: Name,
    ...params: undefined extends Actions[Name]["params"] ? [params?: Actions[Name]["params"]] : never
  ): Promise<Actions[Name]["result"]>;
  /** The same for an action with parameters. */
  callWith<Name extends keyof Actions>(name: Name, params: Actions[Name]["params"]): Promise<Actions[Name]["result"]>;
  /** Ends it in order, and returns what it has written. */
  end(): Promise<string>;
}

/** Starts `hemi serve` in a folder with `hemi.conf`, with two workers. */
export async function serveIn(folder: string, ...args: readonly string[]): Promise<Program> {
  const command = start(["serve", "--workers", "2", ...args], { cwd: folder });
  const [, port] = await command.line(/listens on 127\.0\.0\.1:(\d+)/);
  await command.line(/leads 2 workers/);
  return {
    command,
    port: Number(port),
    call: (name, ...[params]) => callProgram({ path: join(folder, "vars", "hemi.sock") }, name, params),
    callWith: (name, params) => callProgram({ path: join(folder, "vars", "hemi.sock") }, name, params),
    async end() {
      command.child.kill("SIGTERM");
      const { code, stderr } = await command.finished();
      if (code !== 0) throw new Error(`it ended with exit code ${code ?? "?"}: ${stderr}`);
      return stderr;
    },
    [Symbol.asyncDispose]: () => command[Symbol.asyncDispose](),
  };
}
