import { Deadlines } from "@hemi/common";
import { expect, test } from "vitest";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { makeBalancer } from "./balancers/balancers.ts";
import { NodeOrders } from "../operator/node-orders.ts";
import type { Node, NodePool } from "./node.ts";
import { NodeGroup, type GroupOptions } from "./node-group.ts";

/** Two nodes, `a` and `b`, for one request at a time each unless `maxConnsPerNode` says otherwise. */
function twoNodes(orderFor: GroupOptions<NodePool>["orderFor"] = () => undefined) {
  const deadlines = new Deadlines();
  const settings = { maxConnsPerNode: 1, maxQueued: 10, queueTimeout: 60_000, slowStart: 0, dialTimeout: 1000 };
  const group = new NodeGroup({
    specs: [1, 2].map((port) => ({
      address: { host: "10.0.0.1", port },
      hostname: "",
      weight: 1,
      keepConns: 0,
      isBackup: false,
    })),
    settings,
    orderFor,
    balancer: makeBalancer("roundRobin"),
    namer: { follow: () => ({ [Symbol.dispose]() {} }) },
    log: openErrorLog({ sink: new MemorySink() }),
    makePool: () => ({ close() {}, destroy() {} }),
    makeDeadline: (onExpired) => deadlines.add(onExpired),
    now: () => 0,
  });
  const placed: string[] = [];
  const nodes = new Map<string, Node>();
  return {
    group,
    settings,
    placed,
    /** A request that wants a node, but none of those that it has tried. */
    enter(name: string, tried: readonly string[] = [], only?: string) {
      group.enter({
        wish: { key: "", stickTo: "", tried, ...(only !== undefined && { only }) },
        entered(node) {
          nodes.set(name, node);
          placed.push(`${name} at ${node.id}`);
        },
        refused: () => placed.push(`${name} refused`),
      });
    },
    /** It is over. */
    leave(name: string) {
      const node = nodes.get(name);
      if (node !== undefined) group.leave(node);
    },
    [Symbol.dispose]() {
      group.shutdown();
      deadlines.close();
    },
  };
}

const [a, b] = ["10.0.0.1:1", "10.0.0.1:2"];

test("one that wants a certain node waits for that one, and is refused if there is none of this name", () => {
  using two = twoNodes();
  two.enter("first", [], b);
  two.enter("second", [], b);
  two.enter("other", [], "10.0.0.1:3");
  expect(two.placed).toEqual([`first at ${b}`, "other refused"]);
  two.leave("first");
  expect(two.placed.at(-1)).toBe(`second at ${b}`);
});

test("one that waits for a full node keeps nobody behind it from another that is idle", () => {
  using kit = twoNodes();
  kit.enter("1", [b]);
  // It has failed at b, and a is full.
  kit.enter("retry", [b]);
  for (const name of ["2", "3", "4"]) {
    kit.enter(name);
    kit.leave(name);
  }
  expect(kit.placed).toEqual([`1 at ${a}`, `2 at ${b}`, `3 at ${b}`, `4 at ${b}`]);
  kit.leave("1");
  expect(kit.placed.at(-1)).toBe(`retry at ${a}`);
});

test("those who wait are placed in the order of their coming, each as soon as there is a node for it", () => {
  using kit = twoNodes();
  kit.enter("1", [b]);
  kit.enter("2", [a]);
  kit.enter("retry", [b]);
  kit.enter("3");
  kit.enter("4");
  kit.leave("2");
  expect(kit.placed.slice(2)).toEqual([`3 at ${b}`]);
  kit.leave("1");
  expect(kit.placed.slice(3)).toEqual([`retry at ${a}`]);
  kit.leave("retry");
  expect(kit.placed.slice(4)).toEqual([`4 at ${a}`]);
});

test("nodes that may have more at once now take those who wait before those who come", () => {
  using kit = twoNodes();
  for (const name of ["1", "2", "3"]) kit.enter(name);
  kit.settings.maxConnsPerNode = 2;
  kit.enter("4");
  expect(kit.placed.map((text) => text[0])).toEqual(["1", "2", "3", "4"]);
});

test("an order drains a node and gives it another weight, also one that joins later", () => {
  const orders = new NodeOrders();
  using kit = twoNodes((names) => orders.find("api", names));
  kit.settings.maxConnsPerNode = 100;
  kit.enter("before");
  orders.replace([
    { backend: "api", node: a, isDrained: true },
    { backend: "other", node: b, isDrained: true },
  ]);
  kit.group.followOrders();
  for (const name of ["1", "2"]) kit.enter(name);
  expect(kit.placed).toEqual([`before at ${a}`, `1 at ${b}`, `2 at ${b}`]);
  expect(kit.group.reports()).toMatchObject([
    { node: a, state: "drained", active: 1 },
    { node: b, state: "up", active: 2 },
  ]);
  // All nodes are made anew.
  kit.group.renew();
  kit.enter("3");
  expect(kit.placed.at(-1)).toBe(`3 at ${b}`);

  orders.replace([{ backend: "api", node: a, isDrained: false, weight: 3 }]);
  kit.group.followOrders();
  kit.placed.length = 0;
  for (const name of ["4", "5", "6", "7"]) kit.enter(name);
  expect(kit.placed.filter((placed) => placed.endsWith(a))).toHaveLength(3);
  expect(kit.group.reports()[0]).toMatchObject({ state: "up", weight: 3, configuredWeight: 1 });
});

test("while all nodes are drained, the group says so", () => {
  const orders = new NodeOrders();
  using kit = twoNodes((names) => orders.find("api", names));
  orders.replace([a, b].map((node) => ({ backend: "api", node, isDrained: true })));
  kit.group.followOrders();
  expect(kit.group.whyUnusable()).toBe(`no node can be used: ${a} is drained, ${b} is drained`);
});
