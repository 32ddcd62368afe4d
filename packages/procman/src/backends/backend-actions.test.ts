import type { NodeReport } from "@hemi/hemi/base";
import { describe, expect, test } from "vitest";
import { readBackendArguments } from "../commands/backend.ts";
import { assertNode, backendNamed, ordersAfter, readNodeChange, sumOfBackends } from "./backend-actions.ts";
import { backendsText, orderText } from "./backend-text.ts";

function node(address: string, more: Partial<NodeReport> = {}): NodeReport {
  const numbers = { weight: 1, configuredWeight: 1, active: 0, failures: 0 };
  return { node: address, address, state: "up", isBackup: false, lastFailure: "", ...numbers, ...more };
}

const backend = (queued: number, ...nodes: readonly NodeReport[]) => ({
  name: "api",
  path: "http1Backend.api",
  queued,
  nodes,
});

const sum = () =>
  sumOfBackends([
    [backend(1, node("10.0.0.1:80", { active: 2 }), node("10.0.0.2:80", { state: "drained", weight: 3 }))],
    [backend(2, node("10.0.0.1:80", { active: 3, state: "ejected", failures: 4, lastFailure: "it is slow" }))],
    [backend(0, node("10.0.0.1:80", { state: "ejected" }))],
  ]);

test("the numbers of all workers are summed, and a node is in the state that most of them see", () => {
  const [api] = sum();
  expect(api).toMatchObject({ name: "api", queued: 3 });
  expect(api?.nodes).toEqual([
    {
      ...node("10.0.0.1:80", { state: "ejected", active: 5, failures: 4, lastFailure: "it is slow" }),
      states: { up: 1, ejected: 2 },
    },
    { ...node("10.0.0.2:80", { state: "drained", weight: 3 }), states: { drained: 1 } },
  ]);
});

test("the table has a line for each node, and no character that commands a terminal", () => {
  const [, , first = "", second = ""] = backendsText(sum()).split("\n");
  expect(first).toMatch(/^ {2}10\.0\.0\.1:80 +up 1, ejected 2 +1 +5 +4 {2}it is slow$/);
  expect(second).toMatch(/^ {2}10\.0\.0\.2:80 +drained +3\/1 +0 +0$/);
  expect(backendsText([])).toBe("the program has no backend\n");
  expect(backendsText(sumOfBackends([[backend(0, node("\x1b[2J"))]]))).not.toContain("\x1b");
});

describe("an unknown name", () => {
  test("of a backend comes with the nearest ones", () => {
    expect(() => backendNamed("apo", sum())).toThrow("the program has no backend apo; did you mean api?");
    expect(() => backendNamed("shop", sum())).toThrow("no backend shop; there are: api");
    expect(() => backendNamed("shop", [])).toThrow("no backend shop; there is none at all");
  });

  test("of a node comes with the nearest ones, unless it has an order that can be lifted", () => {
    const change = { backend: "api", node: "10.0.0.1:81", isDrained: false };
    expect(() => assertNode(change, backendNamed("api", sum()), [])).toThrow(
      "backend api has no node 10.0.0.1:81; did you mean 10.0.0.1:80?",
    );
    assertNode(change, backendNamed("api", sum()), [{ backend: "api", node: "10.0.0.1:81", isDrained: true }]);
  });
});

test("an order keeps what a change does not name, and is gone when nothing is left of it", () => {
  const [api, shop] = [
    { backend: "api", node: "a" },
    { backend: "shop", node: "a" },
  ];
  const drained = ordersAfter({ ...api, isDrained: true }, [{ ...shop, isDrained: true }]);
  const weighted = ordersAfter({ ...api, weight: 3 }, drained);
  expect(weighted).toEqual([
    { ...shop, isDrained: true },
    { ...api, isDrained: true, weight: 3 },
  ]);
  expect(weighted.map(orderText)).toEqual(["shop node a: drained", "api node a: drained, weight 3"]);
  const up = ordersAfter({ ...api, isDrained: false }, weighted);
  expect(up).toContainEqual({ ...api, isDrained: false, weight: 3 });
  expect(ordersAfter({ ...api, weight: null }, up)).toEqual([{ ...shop, isDrained: true }]);
  const many = Array.from({ length: 1000 }, (_, i) => ({ backend: "api", node: String(i), isDrained: true }));
  expect(() => ordersAfter({ ...api, isDrained: true }, many)).toThrow("1000 nodes have orders");
});

test.each([
  [{}, "backend and node are names"],
  [{ backend: "api", node: "a" }, "isDrained or weight is needed"],
  [{ backend: "api", node: "a", isDrained: 1 }, "isDrained is true or false"],
  [{ backend: "api", node: "a", weight: 0 }, "weight is a whole number from 1 to 1000, or null"],
  [{ backend: "api", node: "a", weight: 1.5 }, "weight is a whole number"],
])("a client that sends %j is told what is wrong", (params, message) => {
  expect(() => readNodeChange(params)).toThrow(message);
});

test.each([
  ["", {}],
  ["api", { backend: "api" }],
  ["api node a drain", { backend: "api", node: "a", isDrained: true }],
  ["api node a up", { backend: "api", node: "a", isDrained: false }],
  ["api node a weight 3", { backend: "api", node: "a", weight: 3 }],
  ["api node a weight default", { backend: "api", node: "a", weight: null }],
  ["api a drain", "after the backend comes node, not a"],
  ["api node", "node needs the address of a node"],
  ["api node a", "node a needs one of drain, up, weight"],
  ["api node a darin", "a node has no darin; did you mean drain?"],
  ["api node a weight 0", "weight takes a number from 1 to 1000, or default"],
  ["api node a up 3", "there is too much behind up"],
  ["api node a weight 3 4", "there is too much behind weight"],
])("hemi backend %s", (args, expected) => {
  const read = () => readBackendArguments(args.split(" ").filter((arg) => arg !== ""));
  if (typeof expected === "string") expect(read).toThrow(expected);
  else expect(read()).toEqual(expected);
});
