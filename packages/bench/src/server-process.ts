// A server in a process of its own, on the server's core, until it is disposed.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, connect } from "node:net";
import { loadCore, pinned, serverCore } from "./machine.ts";
import { residentMemory } from "./process-figures.ts";

export interface ServerProcess extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** Resident memory, in bytes. */
  memory(): number;
}

export type Command = (port: number) => readonly string[];

export interface ServerOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Whether it runs on the core of servers only. Default: true. */
  readonly isPinned?: boolean;
}

/** Starts a server by the command that `command` makes for a port, and waits until it accepts connections. */
export function startServer(
  command: Command,
  { env = {}, isPinned = true }: ServerOptions = {},
): Promise<ServerProcess> {
  return start(command, isPinned ? serverCore : undefined, env);
}

/** A server that others stand before: it shares the core of the load. */
export function startBackend(command: Command): Promise<ServerProcess> {
  return start(command, loadCore, {});
}

async function start(command: Command, core: number | undefined, env: NodeJS.ProcessEnv): Promise<ServerProcess> {
  const port = await freePort();
  const [program, ...args] = pinned(core, command(port));
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env, PORT: String(port) },
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)));
  if (child.pid === undefined) throw new Error(`${program} could not be started`);
  await accepting(port, child, () => errors);
  const { pid } = child;
  return {
    port,
    pid,
    memory: () => residentMemory(pid),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

/** How often, and how many times at most, a port is tried. */
const tryInterval = 5;
const maxTries = 2000;

/** Waits until something listens on the port. */
export async function accepting(port: number, child: ChildProcess, errors: () => string): Promise<void> {
  for (let tries = 0; tries < maxTries; tries++) {
    if (child.exitCode !== null) throw new Error(`the server ended before it listened: ${errors()}`);
    if (await canConnect(port)) return;
    await new Promise((resolve) => setTimeout(resolve, tryInterval));
  }
  child.kill("SIGKILL");
  throw new Error(`nothing listened on port ${port} in time: ${errors()}`);
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
