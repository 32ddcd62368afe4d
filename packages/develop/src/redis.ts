// A Redis of a test's own, in memory, and a way to it that can be made slow.

import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { Redis } from "ioredis";
import { freePort, startPeer } from "./peer-process.ts";

export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly address: string;
  /** Runs a command over a connection of the test's own. */
  call(command: string, ...args: readonly (string | number)[]): Promise<unknown>;
  /** Ends it: what it has stored is lost. */
  stop(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  start(): Promise<void>;
}

/** `program` is the path of redis-server; `options` are those of its command line. */
export async function startRedis(program: string, options: readonly string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "hemi-redis-"));
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder, ...options];
  let running: AsyncDisposable | undefined = await startPeer(program, args, port);
  const passwordAt = options.indexOf("--requirepass");
  const password = passwordAt < 0 ? undefined : options[passwordAt + 1];
  const client = new Redis({ port, lazyConnect: true, ...(password !== undefined && { password }) });
  // It is stopped by tests, and connects again.
  client.on("error", () => {});
  return {
    port,
    address: `127.0.0.1:${port}`,
    call: (command, ...args) => client.call(command, [...args]),
    async stop() {
      await running?.[Symbol.asyncDispose]();
      running = undefined;
    },
    async start() {
      running ??= await startPeer(program, args, port);
    },
    async [Symbol.asyncDispose]() {
      client.disconnect();
      await running?.[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

export interface SlowPath extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** In milliseconds, how much later answers arrive; Infinity: connections that wait for one are stuck for good. */
  delay: number;
}

/** Passes connections on to a port, and what comes back as late as the test says. */
export async function slowPathTo(port: number): Promise<SlowPath> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const node = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [client, node],
      [node, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        other.destroy();
        sockets.delete(socket);
      });
    }
    client.pipe(node);
    let isStuck = false;
    node.on("data", (bytes) => {
      isStuck ||= path.delay === Infinity;
      if (isStuck) return;
      if (path.delay === 0) client.write(bytes);
      else setTimeout(() => client.write(bytes), path.delay);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  const path: SlowPath = {
    address: `127.0.0.1:${typeof bound === "object" ? (bound?.port ?? 0) : 0}`,
    delay: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return path;
}
