// Proxies that know the protocol: Redis, PostgreSQL and DNS.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { comparePairs } from "../comparison.ts";
import { loadCore, pinned } from "../machine.ts";
import { memoryAtRest } from "../memory-at-rest.ts";
import { idleClients } from "../pgsql-clients.ts";
import { startBackend, startServer, type Command, type ServerProcess } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import { dnsmasq, pgbouncer, postgres, redis } from "../servers/databases.ts";
import type { Work } from "../work.ts";
import { startProxy } from "./proxying.ts";

interface ProxyWork {
  readonly against: string;
  readonly bounds: readonly [atLeast: string, aim: string];
  readonly needs: readonly string[];
  readonly backend: Command;
  readonly ours: Command;
  readonly theirs: (backendPort: number) => Command;
  /** Makes what the load needs. */
  readonly prepare?: (backend: ServerProcess) => Promise<unknown>;
  /** What is compared. */
  readonly measure: (port: number, seconds: number) => Promise<number>;
}

function work(name: string, { against, bounds: [atLeast, aim], needs, ...way }: ProxyWork): Work {
  return {
    name,
    needs,
    async run({ seconds, pairs }) {
      await using backend = await startBackend(way.backend);
      await way.prepare?.(backend);
      await using ours = await startProxy(way.ours, backend);
      await using theirs = await startServer(way.theirs(backend.port));
      for (const { port } of [ours, theirs]) await way.measure(port, warmUpSeconds);
      const compared = await comparePairs(
        () => way.measure(ours.port, seconds),
        () => way.measure(theirs.port, seconds),
        pairs,
      );
      const spread = compared.spread.map((bound) => bound.toFixed(2)).join("–");
      const figure = `${compared.ratio.toFixed(2)} (${spread})`;
      const rate = (value: number): string => `${Math.round(value)}/s`;
      return [{ against, ours: rate(compared.ours), theirs: rate(compared.theirs), figure, atLeast, aim }];
    },
  };
}

/** Before anything is measured, as HTTP/1 is. */
const warmUpSeconds = 2;

const pgsql = servers.hemi("pgsql-proxy.conf", "pgsql-pack.ts");

const idleCount = 5000;

export const dataProxies: readonly Work[] = [
  work("Redis: redis-benchmark, 16 requests at once", {
    against: "haproxy, TCP mode",
    bounds: ["0.5", "0.8"],
    needs: ["redis-server", "redis-benchmark", "haproxy"],
    backend: redis,
    ours: servers.hemi("redis-proxy.conf", "redis-pack.ts"),
    theirs: (port) => servers.haproxy(port),
    measure: redisRate,
  }),
  work("PostgreSQL: pgbench -S, 64 clients, 8 servers", {
    against: "PgBouncer, by transaction",
    bounds: ["0.6", "0.9"],
    needs: ["pgbench", "pgbouncer"],
    backend: postgres,
    ours: pgsql,
    theirs: pgbouncer,
    prepare: async ({ port }) => {
      await served(port);
      return await pgbench(port, "-i", "-q");
    },
    measure: pgsqlRate,
  }),
  work("DNS from the cache, 64 clients", {
    against: "dnsmasq",
    bounds: ["0.5", "0.8"],
    needs: ["dnsmasq"],
    backend: dnsmasq(),
    ours: servers.hemi("dns.conf", "dns-pack.ts"),
    theirs: (port) => dnsmasq(port),
    measure: dnsRate,
  }),
  {
    name: `PostgreSQL: memory for each of ${idleCount} idle clients`,
    needs: ["pg_isready"],
    async run() {
      await using backend = await startBackend(postgres);
      await served(backend.port);
      await using ours = await startProxy(pgsql, backend);
      // Warmed up, so that what the first clients cost once is not counted.
      const first = await idleClients(ours.port, 200);
      const before = await memoryAtRest(ours);
      const more = await idleClients(ours.port, idleCount);
      const each = Math.round(((await memoryAtRest(ours)) - before) / idleCount);
      for (const socket of [...first, ...more]) socket.destroy();
      const against = "PgBouncer, 2 KB";
      return [{ against, ours: "", theirs: "", figure: `${each} bytes`, atLeast: "10 KB or less", aim: "5 KB" }];
    },
  },
];

async function redisRate(port: number, seconds: number): Promise<number> {
  // What the fastest of them does in that time: it takes no duration.
  const count = String(seconds * 1_000_000);
  const args = ["redis-benchmark", "-p", String(port), "-n", count, "-P", "16", "-c", "50", "-q", "-t", "get"];
  const stdout = await load(args);
  return Number(/GET: ([\d.]+) requests per second/.exec(stdout)?.[1]);
}

async function pgsqlRate(port: number, seconds: number): Promise<number> {
  const stdout = await pgbench(port, "-n", "-S", "-c", "64", "-T", String(seconds), "-M", "extended");
  const [, rate] = /tps = ([\d.]+)/.exec(stdout) ?? [];
  // Within few seconds, 64 clients may not even have logged in.
  if (rate === undefined) throw new Error(`pgbench has measured nothing: ${stdout}`);
  return Number(rate);
}

async function dnsRate(port: number, seconds: number): Promise<number> {
  const program = fileURLToPath(new URL("../dns-load.ts", import.meta.url));
  return Number(await load([process.execPath, program, String(port), String(seconds), "64"]));
}

/** A server accepts connections before it serves them. */
async function served(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const isServed = await load(["pg_isready", "-q", "-h", "127.0.0.1", "-p", String(port)]).then(
      () => true,
      () => false,
    );
    if (isServed) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`PostgreSQL at port ${port} is not ready after 10 s`);
}

async function pgbench(port: number, ...args: readonly string[]): Promise<string> {
  return await load(["pgbench", "-h", "127.0.0.1", "-p", String(port), "-U", "bench", ...args, "postgres"]);
}

async function load(command: readonly string[]): Promise<string> {
  const [program, ...args] = pinned(loadCore, command);
  const env = { ...process.env, PGPASSWORD: "bench" };
  return (await promisify(execFile)(program, args, { env })).stdout;
}
