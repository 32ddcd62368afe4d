// A server of others as a process of its own, on a port, for as long as a test needs it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** A port that nothing listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return address !== null && typeof address === "object" ? address.port : 0;
}

/**
 * Starts a program, and waits until it listens on the port. Disposing ends it. Rejects if it ends before, or takes more
 * than 10 seconds.
 */
export async function startPeer(program: string, args: readonly string[], port: number): Promise<AsyncDisposable> {
  const child = spawn(program, args, { stdio: "ignore" });
  const exited = once(child, "exit");
  const peer = {
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) child.kill();
      await exited;
    },
  };
  for (let tries = 0; !(await isListenedOn(port)); tries++) {
    if (child.exitCode === null && tries < 1000) continue;
    await peer[Symbol.asyncDispose]();
    throw new Error(`${program} does not listen on port ${port}; it ended with ${child.exitCode}`);
  }
  return peer;
}

function isListenedOn(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // A refusal costs no time: another try follows soon, but not at once.
    socket.once("error", () => setTimeout(resolve, 10, false));
  });
}
