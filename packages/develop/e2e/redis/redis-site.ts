// For tests: stages that use a Redis.

import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import contrib from "@hemi/contrib-redis";
import {
  bootText,
  type CacherPart,
  defineHandlet,
  type HandletPart,
  MemorySink,
  openErrorLog,
  pack,
  type Stage,
  type StaterPart,
} from "@hemi/hemi";
import type { LockService, RateLimitStore } from "@hemi/internal";
import { expect, type TestContext } from "vitest";
import { freePort, startPeer } from "../../src/peer-process.ts";
import { findPeer, peer } from "../../src/peers.ts";
import { startRedis } from "../../src/redis.ts";

export interface RedisSite extends AsyncDisposable {
  readonly stage: Stage;
  /** The lines of the error log. */
  readonly log: readonly string[];
  get(path: string, cookie?: string): ReturnType<Stage["inject"]>;
}

/** Starts a stage of these components; `app {}` in them calls the function. */
export async function redisSite(components: string, handle: HandletPart["handle"] = () => false): Promise<RedisSite> {
  const sink = new MemorySink();
  const app = defineHandlet({ sign: "app", create: () => ({ handle }) });
  const stage = await bootText(`stage { ${components} }`, {
    use: [contrib, pack("test", [app])],
    log: openErrorLog({ sink, level: "debug" }),
  });
  await stage.start();
  return {
    stage,
    log: sink.lines,
    get: (path, cookie) =>
      stage.inject({ url: `http://a.example${path}`, headers: cookie === undefined ? {} : { cookie } }),
    [Symbol.asyncDispose]: async () => {
      await stage.quit(1000);
    },
  };
}

/** Patient with a machine that does much else, unless the test is about time. */
export function redisAt(address: string, props = ""): string {
  const patience = props.includes("Timeout") ? "" : ".commandTimeout = 10s .stallTimeout = 15s";
  return `redis "r" { .addresses = ("${address}") ${patience} ${props} }`;
}

/** With a webapp that has these parts in its one rule. */
export const webapp = (rule: string, props = "") => `
  webapp "site" { .hostnames = ("*") ${props} rule { ${rule} } }
  httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
`;

/** A Redis of the test's own; without the program, the test is skipped. */
export async function redisFor(context: TestContext, options: readonly string[] = []) {
  return await startRedis(peer("redis-server", context), options);
}

/** A cluster of one node, which has these slots, by default all. */
export async function clusterFor(context: TestContext, [first, last] = [0, 16_383]) {
  const redis = await redisFor(context, ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"]);
  await redis.call("CLUSTER", "ADDSLOTSRANGE", first, last);
  if (last - first < 16_383) return redis;
  const state = async () => String(await redis.call("CLUSTER", "INFO"));
  await expect.poll(state, { timeout: 15_000 }).toContain("cluster_state:ok");
  return redis;
}

/** A master with a replica, which a Sentinel puts in the place of the master when that is down. */
export async function watchedFor(context: TestContext) {
  const program = peer("redis-server", context);
  await using started = new AsyncDisposableStack();
  const folder = started.use(await mkdtempDisposable(join(tmpdir(), "hemi-sentinel-")));
  const master = started.use(await redisFor(context));
  const replica = started.use(await redisFor(context, ["--replicaof", "127.0.0.1", String(master.port)]));
  const port = await freePort();
  const file = join(folder.path, "sentinel.conf");
  const watch = `sentinel monitor main 127.0.0.1 ${master.port} 1\nsentinel down-after-milliseconds main 500\n`;
  const pace = "sentinel failover-timeout main 3000\n";
  await writeFile(file, `port ${port}\nbind 127.0.0.1\ndir ${folder.path}\n${watch}${pace}`);
  started.use(await startPeer(program, [file, "--sentinel"], port));
  await expect.poll(() => replica.call("INFO", "replication"), { timeout: 20_000 }).toContain("master_link_status:up");
  const all = started.move();
  const props = '.mode = "sentinel" .masterName = "main" .maxRetryInterval = 200ms';
  return {
    master,
    replica,
    /** The component that finds them by the Sentinel. */
    components: redisAt(`127.0.0.1:${port}`, props),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** The same where there is no context: what calls it has asked for the peer. */
export async function anyRedis(options: readonly string[] = []) {
  return await startRedis(findPeer("redis-server") ?? "redis-server", options);
}

export function staterIn({ stage }: RedisSite, path = "redisStater.s"): StaterPart {
  const part = stage.find(path)?.part;
  if (part === undefined || !("find" in part && "rotate" in part)) throw new Error("there is no stater");
  return part as StaterPart;
}

export function cacherIn({ stage }: RedisSite, path: string): CacherPart {
  const part = stage.find(path)?.part;
  if (part === undefined || !("lookup" in part && "begin" in part)) throw new Error("there is no cacher");
  return part as CacherPart;
}

export function redisIn({ stage }: RedisSite): LockService & RateLimitStore {
  const part = stage.find("redis.r")?.part;
  if (part === undefined || !("acquireLock" in part && "takeTokens" in part)) throw new Error("there is no redis");
  return part as LockService & RateLimitStore;
}
