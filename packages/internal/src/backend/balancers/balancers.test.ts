import { expect, test } from "vitest";
import { balancerTests, manyWishes, tally, testNode, wishFor } from "../../testing/balancer-tests.ts";
import { balancerNames, makeBalancer } from "./balancers.ts";
import { PowerOfTwo, Random } from "./chance.ts";
import { RoundRobin } from "./round-robin.ts";

/** Numbers that look like chance and are the same in each run. */
function seeded(): () => number {
  let state = 42;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

for (const name of balancerNames) {
  balancerTests(name, () => {
    if (name === "random") return new Random(seeded());
    return name === "p2c" ? new PowerOfTwo(seeded()) : makeBalancer(name);
  });
}

test("roundRobin spreads a heavy node's turns out", () => {
  const balancer = new RoundRobin();
  const nodes = [testNode("a", 5), testNode("b"), testNode("c")];
  const order = Array.from({ length: 7 }, () => balancer.choose(wishFor(""), nodes)?.id).join("");
  expect(order).toBe("aabacaa");
});

test("leastConn takes the least busy one, by weight", () => {
  const balancer = makeBalancer("leastConn");
  const nodes = [testNode("a", 4), testNode("b", 1)];
  expect(tally(balancer, nodes, manyWishes(5), true)).toEqual({ a: 4, b: 1 });
});

test("p2c never takes the busier one of two", () => {
  const balancer = new PowerOfTwo(seeded());
  const nodes = [testNode("a"), testNode("b")];
  const [a] = nodes;
  if (a !== undefined) a.active = 5;
  expect(tally(balancer, nodes, manyWishes(50))).toEqual({ a: 0, b: 50 });
});

test.each(["hash", "ipHash"] as const)("%s gives one key one node, and few keys another when a node goes", (name) => {
  const nodes = ["a", "b", "c", "d"].map((id) => testNode(id));
  const balancer = makeBalancer(name);
  const choose = (count: number) =>
    [...manyWishes(1000)].map((wish) => balancer.choose(wish, nodes.slice(0, count))?.id);
  const before = choose(4);
  expect(choose(4)).toEqual(before);
  const after = choose(3);
  for (let i = 0; i < before.length; i++) if (before[i] !== "d") expect(after[i]).toBe(before[i]);
});

test("sticky keeps a client at its node while that can take it", () => {
  const balancer = makeBalancer("sticky");
  const nodes = [testNode("a"), testNode("b"), testNode("c")];
  const wish = wishFor("", "tag-b");
  for (let i = 0; i < 10; i++) expect(balancer.choose(wish, nodes)?.id).toBe("b");
  expect(balancer.choose(wish, nodes.slice(0, 1))?.id).toBe("a");
  expect(balancer.choose(wishFor("", "tag-of-nobody"), nodes)).toBeDefined();
});
