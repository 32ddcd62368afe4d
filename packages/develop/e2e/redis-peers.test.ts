// redisProxy between real servers and clients of Redis: one server, routes, users, and a cluster that loses a node.

import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import redisProxy from "@hemi/contrib-redis-proxy";
import { bootText, type RouterPart, type Stage } from "@hemi/hemi";
import { Redis } from "ioredis";
import { expect, test, type TestContext } from "vitest";
import { freePort, startPeer } from "../src/peer-process.ts";
import { peer } from "../src/peers.ts";

const run = promisify(execFile);

async function server(context: TestContext, ...more: string[]) {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-redis-"));
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder.path, ...more];
  const started = await startPeer(peer("redis-server", context), args, port);
  let isOver = false;
  return {
    port,
    /** Twice is harmless. */
    [Symbol.asyncDispose]: async () => {
      if (isOver) return;
      isOver = true;
      await started[Symbol.asyncDispose]();
      await folder.remove();
    },
  };
}

async function proxy(context: TestContext, nodes: readonly number[], props = "", more = "") {
  const list = nodes.map((port) => `["address": "127.0.0.1:${port}"]`).join(", ");
  const stage: Stage = await bootText(
    `stage {
      tcpsBackend "redis" { .nodes = (${list}) .healthCheck = "redis" .healthInterval = 200ms .dialTimeout = 2s }
      ${more}
      tcpsRouter "main" { .address = "127.0.0.1:0" case { redisProxy { .toBackend = "redis" ${props} } } }
    }`,
    { use: [redisProxy] },
  );
  await stage.start();
  const part: RouterPart = stage.find("tcpsRouter.main")?.part ?? {};
  const port = Number(/:(\d+)$/.exec(part.listensOn?.[0] ?? "")?.[1]);
  const redisCli = peer("redis-cli", context);
  return {
    port,
    cli: async (...args: string[]) =>
      (await run(redisCli, ["-p", String(port), "--no-auth-warning", ...args])).stdout.trimEnd(),
    /** Sends lines, and returns what comes until the connection is closed. */
    async talk(text: string, size = 65_536): Promise<string> {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      let received = "";
      socket.on("data", (bytes) => (received += bytes.toString("latin1")));
      for (let at = 0; at < text.length; at += size) socket.write(text.slice(at, at + size));
      socket.end();
      await once(socket, "close");
      return received;
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

test("redis-cli reads and writes through it, in both versions of the protocol", async (context) => {
  await using node = await server(context);
  await using site = await proxy(context, [node.port]);
  expect(await site.cli("set", "a", "1")).toBe("OK");
  expect(await site.cli("get", "a")).toBe("1");
  expect(await site.cli("-3", "hset", "h", "f", "v")).toBe("1");
  expect(await site.cli("-3", "hgetall", "h")).toMatch(/^f.*v$/s);
  expect(await site.cli("-n", "3", "get", "a")).toBe("");
  expect(await site.cli("eval", "return redis.call('get', KEYS[1])", "1", "a")).toBe("1");
  expect(await site.cli("flushall")).toContain("does not pass on");
});

test("a pipeline keeps its order around transactions and commands that block, split at every byte", async (context) => {
  await using node = await server(context);
  await using site = await proxy(context, [node.port]);
  const text =
    "SET a 1\r\nMULTI\r\nINCR a\r\nINCR a\r\nEXEC\r\nGET a\r\nRPUSH l x\r\nBLPOP l 0\r\nPING\r\nGET a\r\nQUIT\r\n";
  const expected =
    "+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:2\r\n:3\r\n$1\r\n3\r\n" +
    ":1\r\n*2\r\n$1\r\nl\r\n$1\r\nx\r\n+PONG\r\n$1\r\n3\r\n+OK\r\n";
  expect(await site.talk(text)).toBe(expected);
  expect(await site.talk(text, 1)).toBe(expected);
});

test("a watched key that another client changes ends the transaction", async (context) => {
  await using node = await server(context);
  await using site = await proxy(context, [node.port]);
  const socket = connect({ port: site.port, host: "127.0.0.1" });
  let received = "";
  socket.on("data", (bytes) => (received += bytes.toString("latin1")));
  socket.write("WATCH a\r\n");
  await expect.poll(() => received).toBe("+OK\r\n");
  await site.cli("set", "a", "other");
  socket.write("MULTI\r\nSET a mine\r\nEXEC\r\n");
  await expect.poll(() => received).toBe("+OK\r\n+OK\r\n+QUEUED\r\n*-1\r\n");
  expect(await site.cli("get", "a")).toBe("other");
  socket.destroy();
});

test("messages of channels arrive", async (context) => {
  await using node = await server(context);
  await using site = await proxy(context, [node.port]);
  const socket = connect({ port: site.port, host: "127.0.0.1" });
  let received = "";
  socket.on("data", (bytes) => (received += bytes.toString("latin1")));
  socket.write("SUBSCRIBE news\r\n");
  await expect.poll(() => received).toContain("subscribe");
  expect(await site.cli("publish", "news", "hello")).toBe("1");
  await expect.poll(() => received).toContain("$5\r\nhello\r\n");
  socket.destroy();
});

test("users log in, and use their own keys only", async (context) => {
  await using node = await server(context, "--requirepass", "of the node");
  await using site = await proxy(
    context,
    [node.port],
    `.nodePassword = "of the node" .users = (["name": "app", "password": "geheim", "keys": ("app:")],
      ["name": "reader", "password": "#${"0".repeat(64)}"], ["password": "x", "readOnly": true])`,
  );
  const app = ["--user", "app", "--pass", "geheim"];
  expect(await site.cli("get", "app:a")).toContain("NOAUTH");
  expect(await site.cli(...app, "set", "app:a", "1")).toBe("OK");
  expect(await site.cli(...app, "get", "other")).toContain("NOPERM");
  expect(await site.cli(...app, "eval", "return 1", "0")).toContain("NOPERM");
  expect(await site.cli("--pass", "x", "get", "app:a")).toBe("1");
  expect(await site.cli("--pass", "x", "set", "app:a", "2")).toContain("NOPERM");
  expect(await site.talk("AUTH app wrong\r\nPING\r\nQUIT\r\n")).toMatch(/^-WRONGPASS.*\r\n-NOAUTH.*\r\n\+OK\r\n$/);
});

test("keys go to the backend of their beginning", async (context) => {
  await using node = await server(context);
  await using sessions = await server(context);
  await using site = await proxy(
    context,
    [node.port],
    '.routes = (["prefix": "s:", "toBackend": "sessions"])',
    `tcpsBackend "sessions" { .nodes = (["address": "127.0.0.1:${sessions.port}"]) }`,
  );
  await site.cli("set", "s:1", "there");
  await site.cli("set", "a", "here");
  const redisCli = peer("redis-cli", context);
  const at = async (port: number, ...args: string[]) =>
    (await run(redisCli, ["-p", String(port), ...args])).stdout.trim();
  expect(await at(sessions.port, "get", "s:1")).toBe("there");
  expect(await at(node.port, "keys", "*")).toBe("a");
  expect(await site.cli("mget", "a", "s:1")).toContain("CROSSSLOT");
});

test("ioredis reads, writes, pipelines, runs transactions and scripts, and listens", async (context) => {
  await using node = await server(context);
  await using site = await proxy(context, [node.port]);
  const open = () => new Redis(site.port, "127.0.0.1", { retryStrategy: () => null });
  const [client, listener, waiting] = [open(), open(), open()];
  expect(await client.set("a", "1")).toBe("OK");
  const replies = await client.pipeline().incr("a").get("a").hset("h", { x: "y" }).hgetall("h").exec();
  expect(replies?.map(([, reply]) => reply)).toEqual([2, "2", 1, { x: "y" }]);
  expect(await client.multi().incr("a").exec()).toEqual([[null, 3]]);
  expect(await client.eval("return redis.call('get', KEYS[1])", 1, "a")).toBe("3");
  const heard = new Promise((resolve) => listener.on("message", (channel, text) => resolve([channel, text])));
  await listener.subscribe("news");
  await client.publish("news", "hello");
  expect(await heard).toEqual(["news", "hello"]);
  const blocked = waiting.blpop("list", 10);
  await client.rpush("list", "first");
  expect(await blocked).toEqual(["list", "first"]);
  for (const each of [client, listener, waiting]) each.disconnect();
});

test("redis-benchmark is content", { timeout: 60_000 }, async (context) => {
  await using node = await server(context);
  await using site = await proxy(context, [node.port]);
  const args = ["-p", String(site.port), "-n", "2000", "-P", "16", "-c", "20", "-q", "-t", "ping,set,get,lpush,mset"];
  const { stdout } = await run("redis-benchmark", args);
  expect(stdout.match(/requests per second/g)).toHaveLength(6);
});

test(
  "a node that dies gives errors, and its successor at the same address is used",
  { timeout: 60_000 },
  async (context) => {
    const first = await server(context);
    await using site = await proxy(context, [first.port], "", "");
    expect(await site.cli("set", "a", "1")).toBe("OK");
    await first[Symbol.asyncDispose]();
    expect(await site.cli("get", "a")).toMatch(/^(?:ERR|Error)/);
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-redis-"));
    await using _second = await startPeer(
      peer("redis-server", context),
      ["--port", String(first.port), "--bind", "127.0.0.1", "--save", "", "--dir", folder.path],
      first.port,
    );
    await expect.poll(() => site.cli("set", "a", "2"), { timeout: 20_000 }).toBe("OK");
  },
);

test(
  "a cluster of three nodes is followed when slots move and when a node is killed",
  { timeout: 120_000 },
  async (context) => {
    const redisCli = peer("redis-cli", context);
    const cluster = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"];
    await using stack = new AsyncDisposableStack();
    const nodes = [];
    for (let i = 0; i < 4; i++) nodes.push(stack.use(await server(context, ...cluster)));
    const ports = nodes.map(({ port }) => port);
    const addresses = ports.map((port) => `127.0.0.1:${port}`);
    const at = async (port: number, ...args: string[]) =>
      (await run(redisCli, ["-p", String(port), ...args])).stdout.trim();
    await run(redisCli, ["--cluster", "create", ...addresses.slice(0, 3), "--cluster-yes"]);
    const [firstId = ""] = (await at(ports[0] ?? 0, "cluster", "myid")).split("\n");
    await run(redisCli, [
      "--cluster",
      "add-node",
      addresses[3] ?? "",
      addresses[0] ?? "",
      "--cluster-slave",
      "--cluster-master-id",
      firstId,
    ]);
    await expect.poll(() => at(ports[3] ?? 0, "cluster", "info"), { timeout: 20_000 }).toContain("cluster_state:ok");
    await using site = await proxy(context, ports, ".cluster = true");
    const keys = Array.from({ length: 30 }, (_, i) => `key${i}`);
    for (const key of keys) expect(await site.cli("set", key, key)).toBe("OK");
    for (const key of keys) expect(await site.cli("get", key)).toBe(key);
    expect(await site.talk("MULTI\r\nINCR {n}a\r\nINCR {n}b\r\nEXEC\r\nQUIT\r\n")).toContain("*2\r\n:1\r\n:1\r\n");
    await expect
      .poll(() => at(ports[3] ?? 0, "info", "replication"), { timeout: 20_000 })
      .toContain("master_link_status:up");
    // The replica takes over.
    await nodes[0]?.[Symbol.asyncDispose]();
    for (const key of keys) await expect.poll(() => site.cli("get", key), { timeout: 30_000, interval: 300 }).toBe(key);
  },
);
