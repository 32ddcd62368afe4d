import { countGroups, type CountReport } from "@hemi/hemi/base";
import { expect, test } from "vitest";
import { adviceOn } from "./all-rules.ts";
import { factsOf, type BackendFacts, type Facts, type ServerFacts, type WorkerFacts } from "./facts.ts";
import { listenDrops, machineFacts, machineState } from "./machine.ts";

const worker: WorkerFacts = {
  slot: 0,
  loop: 0.4,
  collecting: 0.02,
  loopDelay: 5,
  rss: 80e6,
  descriptors: 40,
  maxDescriptors: 1_048_576,
};
const server: ServerFacts = {
  path: "httpxServer.main",
  refused: 0,
  fullHandshakes: 500,
  resumedHandshakes: 1000,
  maxConns: 20_000,
};
const node: BackendFacts["nodes"][number] = {
  node: "10.0.0.1:80",
  address: "10.0.0.1:80",
  state: "up",
  states: { up: 2 },
  weight: 1,
  configuredWeight: 1,
  isBackup: false,
  active: 0,
  failures: 3,
  lastFailure: "",
};
const backend: BackendFacts = {
  path: "http1Backend.api",
  refused: 0,
  attempts: 1000,
  retries: 2,
  stale: 0,
  aliveTimeout: 60_000,
  nodes: [node],
};
const healthy: Facts = {
  time: 10,
  machine: { cpus: 2, somaxconn: 4096, listenDrops: 0, memoryLimit: 1024 ** 3 },
  workers: [worker, { ...worker, slot: 1 }],
  servers: [server],
  backends: [backend],
  exporters: [{ path: "otel.collector", dropped: 0 }],
};
const two = (change: Partial<WorkerFacts>) => healthy.workers.map((one) => ({ ...one, ...change }));

test("a healthy program gets no advice, nor does one that does nothing", () => {
  expect(adviceOn(healthy)).toEqual([]);
  const idle = { ...worker, loop: 0, collecting: 0 };
  expect(adviceOn({ ...healthy, workers: [idle], servers: [], backends: [], exporters: [] })).toEqual([]);
  const unknown = { cpus: 2, somaxconn: undefined, listenDrops: undefined, memoryLimit: undefined };
  expect(adviceOn({ ...healthy, machine: unknown, workers: two({ maxDescriptors: 0 }) })).toEqual([]);
});

test.each<[string, Partial<Facts>, readonly string[]]>([
  [
    "the queue of a listening socket is full",
    { machine: { ...healthy.machine, somaxconn: 128, listenDrops: 40 } },
    [
      "machine: the kernel dropped 40 new connections within 10 s because a queue of a listening socket was full (net.core.somaxconn is 128)",
    ],
  ],
  [
    "descriptors run out",
    { workers: [{ ...worker, descriptors: 900, maxDescriptors: 1024 }], servers: [] },
    ["worker 0: 900 of 1024 file descriptors are open (88 %)"],
  ],
  [
    "maxConns is more than the descriptors allow",
    { workers: two({ maxDescriptors: 4096 }) },
    [
      "machine: maxConns of the servers lets each worker have 10,000 connections, and it may open 4,096 file descriptors",
    ],
  ],
  [
    "memory runs out",
    { workers: two({ rss: 500e6 }) },
    ["machine: the workers use 954M of the 1.0G that the control group may use (93 %)"],
  ],
  [
    "clients are refused",
    { servers: [{ ...server, refused: 7 }] },
    ["httpxServer.main: it refused 7 connections within 10 s; maxConns is 20000"],
  ],
  [
    "there are too few workers",
    { workers: [{ ...worker, loop: 0.8 }] },
    ["program: 1 worker on 2 processors, each at least 80 % busy"],
  ],
  [
    "there are too many workers",
    { workers: [...two({ loop: 0.6 }), { ...worker, slot: 2, loop: 0.5 }] },
    ["program: 3 workers on 2 processors, which are busy"],
  ],
  ["the machine is full", { workers: two({ loop: 0.95 }) }, ["machine: each of the 2 workers is at least 95 % busy"]],
  [
    "one worker has all the work",
    { workers: [worker, { ...worker, slot: 1, loop: 0.97 }] },
    ["worker 1: it is 97 % busy, and no other worker more than 49 %"],
  ],
  [
    "the event loop is late",
    { workers: [{ ...worker, loopDelay: 250 }] },
    ["worker 0: its event loop was 250 ms late at times (99th percentile)"],
  ],
  [
    "much garbage is collected",
    { workers: [{ ...worker, collecting: 0.25 }] },
    ["worker 0: it spends 25 % of its time on garbage collections"],
  ],
  [
    "a node closes kept connections first",
    { backends: [{ ...backend, retries: 5, stale: 5 }] },
    ["http1Backend.api: a node closed a kept connection when it was used: 30.0 retries a minute"],
  ],
  [
    "requests get no node",
    { backends: [{ ...backend, refused: 3 }] },
    ["http1Backend.api: 3 requests got no node within 10 s; 1 of 1 nodes are up"],
  ],
  [
    "many requests are tried again",
    { backends: [{ ...backend, retries: 50, nodes: [{ ...node, lastFailure: "connect ECONNREFUSED" }] }] },
    ["http1Backend.api: 5 % of the requests were tried again, at last because connect ECONNREFUSED"],
  ],
  [
    "a node is down",
    { backends: [{ ...backend, nodes: [node, { ...node, node: "b:80", state: "down", lastFailure: "503" }] }] },
    ["http1Backend.api: node b:80 is down: 503"],
  ],
  [
    "clients do not resume TLS sessions",
    { servers: [{ ...server, resumedHandshakes: 10 }] },
    ["httpxServer.main: 2 % of 510 TLS handshakes resumed a session"],
  ],
  [
    "spans are dropped",
    { exporters: [{ path: "otel.collector", dropped: 12 }] },
    ["otel.collector: dropped 12 items (spans, lines of logs) within 10 s"],
  ],
])("if %s, it says so with the numbers, and nothing else", (_name, change, found) => {
  const advice = adviceOn({ ...healthy, ...change });
  expect(advice.map((one) => `${one.about}: ${one.found}`)).toEqual(found);
  for (const one of advice) expect(one.change.length).toBeGreaterThan(10);
});

test("drained nodes and few handshakes are no reason for advice", () => {
  const drained = { ...node, state: "drained" } as const;
  const few = { ...server, fullHandshakes: 20, resumedHandshakes: 0 };
  expect(adviceOn({ ...healthy, backends: [{ ...backend, nodes: [drained] }], servers: [few] })).toEqual([]);
});

test("facts are what has been counted within the time, with the limits of the configuration", () => {
  const block = (group: string, labels: readonly string[], numbers: Readonly<Record<string, number>>) => {
    const layout = countGroups.find(({ name }) => name === group) ?? expect.fail(group);
    const values = new Array<number>(layout.size).fill(0);
    const at: Readonly<Record<string, number>> = layout.at;
    for (const [name, value] of Object.entries(numbers)) values[at[name] ?? expect.fail(name)] = value;
    return { group, labels, values };
  };
  const report = (times: number): CountReport => [
    block("process", ["1"], { loopBusy: 4 * times, resident: 100, descriptors: 9, maxDescriptors: 1024 }),
    block("server", ["main", "httpxServer"], { refused: 3 * times, fullHandshakes: 5 * times }),
    block("backend", ["api", "http1Backend"], { retries: 2 * times }),
    block("node", ["api", "http1Backend", "a:80"], { good: 10 * times, failed: 2 * times, stale: times }),
    block("node", ["other", "http1Backend", "a:80"], { good: 1000 * times }),
  ];
  const limits = [
    { path: "httpxServer.main", limits: { maxConns: 100 } },
    { path: "http1Backend.api", limits: { aliveTimeout: 5000 } },
  ];
  const { machine } = healthy;
  const idle = { name: "idle", path: "http1Backend.idle", queued: 0, nodes: [node] };
  const backends = [{ ...idle, name: "api", path: "http1Backend.api", nodes: [] }, idle];
  const facts = factsOf({ before: report(1), after: report(2), time: 10, machine, backends, limits });
  expect(facts.workers).toEqual([{ ...facts.workers[0], slot: 1, loop: 0.4, rss: 100, descriptors: 9 }]);
  expect(facts.servers).toEqual([
    { path: "httpxServer.main", refused: 3, fullHandshakes: 5, resumedHandshakes: 0, maxConns: 100 },
  ]);
  expect(facts.backends).toEqual([
    { path: "http1Backend.api", refused: 0, retries: 2, stale: 1, attempts: 12, aliveTimeout: 5000, nodes: [] },
    { path: idle.path, refused: 0, retries: 0, stale: 0, attempts: 0, aliveTimeout: undefined, nodes: [node] },
  ]);
});

test("drops of listening sockets are read from the counters of the kernel", async () => {
  const netstat = "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 2 31\nIpExt: InNoRoutes\nIpExt: 0\n";
  expect(listenDrops(netstat)).toBe(31);
  expect(listenDrops("")).toBeUndefined();
  const state = { cpus: 2, somaxconn: 128, memoryLimit: undefined };
  const facts = machineFacts({ ...state, dropsSinceStart: 31 }, { ...state, dropsSinceStart: 71 });
  expect(facts).toEqual({ ...state, listenDrops: 40 });
  expect(await machineState("/no/such/folder/")).toMatchObject({ somaxconn: undefined, dropsSinceStart: undefined });
});
