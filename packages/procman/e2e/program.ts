// A program with a leader and two workers, as a process of its own, and what tests ask of it.

import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Actions } from "../src/control/actions.ts";
import { callProgram } from "../src/control/client.ts";
import { run, start, type RunOptions, type Running } from "./command.ts";

/** One webapp that answers `text`; `more` stands in the stage. */
export const site = (text: string, more = ""): string => `stage {
    ${more}
    webapp "hello" {
        .hostnames = ("*")
        rule $path == "/loop" { nodeHandlet { .module = "./loop.ts" } }
        rule { .returnText = "${text}" }
    }
    httpxServer "main" {
        .webapps = ("hello")
        .address = "127.0.0.1:0"
    }
}
`;

/** What a user writes by mistake. */
const loop = `// A handlet that never comes to an end.
export default function handle(): void {
  for (;;) {
    Math.random();
  }
}
`;

/** The files of a program. */
export const files = (text = "one", more = "") => ({ "hemi.conf": site(text, more), "loop.ts": loop });

/** A program that runs. Disposing kills it. */
export interface Program extends AsyncDisposable {
  readonly command: Running;
  /** The port of its first server. */
  readonly port: number;
  /** Calls a command of the program. Returns what it prints, or its exit code and its errors. */
  steer(...args: readonly string[]): Promise<string>;
  /** Calls an action of its control socket, without a process for the command. */
  call<Name extends keyof Actions>(
    name: Name,
    ...params: undefined extends Actions[Name]["params"]
      ? [params?: Actions[Name]["params"]]
      : [params: Actions[Name]["params"]]
  ): Promise<Actions[Name]["result"]>;
  /** Ends it in order, and returns what it has written. */
  end(): Promise<string>;
}

/** Serves `hemi.conf` of a folder with two workers. */
export async function serve(folder: string, ...args: readonly string[]): Promise<Program> {
  return await serveWith({ cwd: folder }, ...args);
}

export async function serveWith(
  options: RunOptions & { readonly cwd: string },
  ...args: readonly string[]
): Promise<Program> {
  const command = start(["serve", "--workers", "2", ...args], options);
  const [, port] = await command.line(/listens on 127\.0\.0\.1:(\d+)/);
  await command.line(/leads \d workers?/);
  return {
    command,
    port: Number(port),
    steer: steering(options.cwd),
    call: (name, ...[params]) => callProgram({ path: join(options.cwd, "vars", "hemi.sock") }, name, params),
    async end() {
      command.child.kill("SIGTERM");
      const { code, stderr } = await command.finished();
      if (code !== 0) throw new Error(`it ended with ${code ?? "a signal"}: ${stderr}`);
      return stderr;
    },
    [Symbol.asyncDispose]: () => command[Symbol.asyncDispose](),
  };
}

/** Calls commands for the program of a folder. */
export function steering(folder: string): Program["steer"] {
  return async (...args) => {
    const { stdout, stderr, code } = await run(args, { cwd: folder });
    return code === 0 ? stdout : `${code ?? "?"} ${stderr}`;
  };
}

/** The content of an answer, on a connection of its own. */
export async function ask(port: number, path = "/"): Promise<string> {
  const request = get({ agent: false, host: "127.0.0.1", port, path });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return await text(response);
}

export async function workersOf({ call }: Program): Promise<Actions["workers"]["result"]> {
  return await call("workers");
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
