// hrpcBackend and hrpcOutgate: calls at several servers.

import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { makeClient, Metadata } from "@hemi/common/rpc";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { defineAddon } from "../../stage/kinds/addon.ts";
import { numbers, numbersService, type NumbersObserved } from "../../testing/rpc/numbers-service.ts";
import { serveRpcServer, type RpcServerSite } from "../../testing/rpc/rpc-server-site.ts";
import { hrpcOutgate } from "./hrpc-outgate.ts";
import { rpcBackend, type RpcBackend } from "./rpc-backend.ts";

interface Program extends AsyncDisposable {
  readonly backend: RpcBackend;
  readonly log: readonly string[];
}

async function programWith(nodes: readonly string[], props = ""): Promise<Program> {
  const sink = new MemorySink();
  const list = nodes.map((address) => `["address": "${address}"]`).join(", ");
  const stage = await bootWith([]).bootText(`stage { hrpcBackend "b" { .nodes = (${list}) ${props} } }`, {
    log: openErrorLog({ sink, level: "debug" }),
  });
  await stage.start();
  const backend = stage.offering(rpcBackend)[0]!.part;
  return { backend, log: sink.lines, [Symbol.asyncDispose]: () => stage.quit(500) };
}

interface Node extends AsyncDisposable {
  readonly site: RpcServerSite;
  readonly observed: NumbersObserved;
}

async function node(props = ""): Promise<Node> {
  const observed: NumbersObserved = { events: [], failures: 0 };
  const site = await serveRpcServer({ bundlets: [numbersService(observed)], props });
  return { site, observed, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() };
}

/** An address at which nobody listens. */
async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : "";
}

const noRetries = { retries: 0 };

test("calls go to all nodes in turn, over connections that are kept", async () => {
  await using a = await node();
  await using b = await node();
  await using program = await programWith([a.site.address, b.site.address], '.balancer = "roundRobin"');
  const client = makeClient(numbers, program.backend, noRetries);
  for (let n = 0; n < 10; n++) expect(await client.increment({ n })).toEqual({ n: n + 1 });
  expect([a.observed.events.length, b.observed.events.length]).toEqual([5, 5]);
  expect(program.backend.explain().nodes.size).toBe(2);
});

test("a call that has never begun is made at another node, though it must not be repeated", async () => {
  await using a = await node();
  await using program = await programWith([await deadAddress(), a.site.address], '.balancer = "roundRobin"');
  const client = makeClient(numbers, program.backend, noRetries);
  for (let n = 0; n < 4; n++) expect(await client.increment({ n })).toEqual({ n: n + 1 });
  expect(a.observed.events).toHaveLength(4);
});

test("a call whose node breaks off in the middle is not repeated", async () => {
  await using a = await node();
  await using program = await programWith([a.site.address]);
  const client = makeClient(numbers, program.backend, noRetries);
  const hanging = client.double({ n: 98 });
  await expect.poll(() => a.observed.events).toEqual(["deaf"]);
  const gone = expect(hanging).rejects.toMatchObject({ code: "unavailable" });
  await a.site.stage.quit(0);
  await gone;
});

test("a node that does not speak hrpc gives unavailable within the time for a connection", async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket.on("error", () => undefined))).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await using program = await programWith([`127.0.0.1:${port}`], ".dialTimeout = 50ms");
  const client = makeClient(numbers, program.backend, noRetries);
  await expect(client.double({ n: 1 })).rejects.toMatchObject({ code: "unavailable" });
  for (const socket of sockets) socket.destroy();
  silent.close();
});

test("an answer that takes long is hedged at another node, whose answer counts; the slow one is canceled", async () => {
  await using a = await node();
  await using b = await node();
  const props = '.balancer = "roundRobin" .hedgeDelay = 20ms';
  await using program = await programWith([a.site.address, b.site.address], props);
  const client = makeClient(numbers, program.backend, noRetries);
  // Both are slow: no node answers 99 by itself, so that the attempts are seen at both.
  const caller = new AbortController();
  const call = expect(client.double({ n: 99 }, { signal: caller.signal })).rejects.toMatchObject({ code: "canceled" });
  const events = (): string[] => [...a.observed.events, ...b.observed.events].sort();
  await expect.poll(events).toEqual(["hangs", "hangs"]);
  caller.abort();
  await call;
  await expect.poll(events).toEqual(["aborted", "aborted", "hangs", "hangs"]);
  // What may not be repeated is not.
  expect(await client.increment({ n: 1 })).toEqual({ n: 2 });
  expect([...a.observed.events, ...b.observed.events].filter((event) => event === "increment")).toHaveLength(1);
});

test("a call that has no connection is given up by its signal", async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket.on("error", () => undefined))).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await using program = await programWith([`127.0.0.1:${port}`]);
  const call = makeClient(numbers, program.backend, noRetries).double({ n: 1 }, { timeout: 40 });
  await expect(call).rejects.toMatchObject({ code: "deadline_exceeded" });
  for (const socket of sockets) socket.destroy();
  silent.close();
});

test("a node whose health service does not answer gets no calls", async () => {
  await using a = await node(".health = false");
  await using b = await node();
  const props = '.healthCheck = "rpc" .healthInterval = 10ms .healthFall = 1 .balancer = "roundRobin"';
  await using program = await programWith([a.site.address, b.site.address], props);
  await expect.poll(() => program.log.join("\n")).toContain(`node ${a.site.address} is down`);
  const client = makeClient(numbers, program.backend, noRetries);
  for (let n = 0; n < 4; n++) await client.increment({ n });
  expect([a.observed.events.length, b.observed.events.length]).toEqual([0, 4]);
});

test("equal values of a metadata go to one node", async () => {
  await using a = await node();
  await using b = await node();
  const props = '.balancer = "hash" .hashOn = "x-user"';
  await using program = await programWith([a.site.address, b.site.address], props);
  const client = makeClient(numbers, program.backend, noRetries);
  for (let n = 0; n < 6; n++) await client.increment({ n }, { metadata: new Metadata({ "x-user": "ann" }) });
  expect([a.observed.events.length, b.observed.events.length].sort()).toEqual([0, 6]);
});

test("a configuration that hashes on nothing is refused", async () => {
  const text =
    'stage { hrpcBackend "b" { .nodes = (["address": "127.0.0.1:1"]) .balancer = "hash" .proxyProtocol = "v2" } }';
  const booting = bootWith([]).bootText(text, { log: openErrorLog({ sink: new MemorySink() }) });
  await expect(booting).rejects.toThrow(/hashOn/);
  await expect(booting).rejects.toThrow(/for many clients/);
});

test("the outgate calls servers that no backend names", async () => {
  await using a = await node();
  let call: ((address: string) => Promise<unknown>) | undefined;
  const user = defineAddon({
    sign: "user",
    create: ({ stage }) => ({
      start() {
        call = (address) => {
          const transport = stage.outgate(hrpcOutgate).transport(address);
          return makeClient(numbers, transport, noRetries).double({ n: 5 });
        };
      },
    }),
  });
  const stage = await bootWith([pack("test", [user])]).bootText(
    'stage { user "u" {} hrpcOutgate { .maxAddresses = 1 } }',
    {
      log: openErrorLog({ sink: new MemorySink() }),
    },
  );
  await stage.start();
  expect(await call?.(a.site.address)).toEqual({ n: 10 });
  expect(await call?.(a.site.address)).toEqual({ n: 10 });
  await expect(call?.(await deadAddress())).rejects.toMatchObject({ code: "unavailable" });
  expect(() => call?.("nowhere")).toThrow(/is no address/);
  await stage.quit(500);
});
