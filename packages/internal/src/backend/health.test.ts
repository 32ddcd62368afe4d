import { Deadlines } from "@hemi/common";
import { describe, expect, test } from "vitest";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { onlyWorker } from "../stage/workers.ts";
import { FakeProgram } from "../testing/fake-program.ts";
import { Uncaught } from "../testing/uncaught.ts";
import { ActiveHealth } from "./active-health.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { Node } from "./node.ts";
import { PassiveHealth } from "./passive-health.ts";
import { RetryBudget } from "./retry-budget.ts";

/** Some nodes under a clock that is moved by hand. */
function setUp(count: number, slowStart = 0) {
  let time = 1000;
  const now = () => time;
  const deadlines = new Deadlines({ resolution: 10, now });
  const sink = new MemorySink();
  const log = openErrorLog({ level: "debug", sink });
  const nodes = Array.from(
    { length: count },
    (_, i) =>
      new Node(
        { address: { host: "10.0.0.1", port: i + 1 }, hostname: "", weight: 100, keepConns: 0, isBackup: false },
        () => ({ close() {}, destroy() {} }),
        () => slowStart,
        now,
      ),
  );
  const watched = { nodes, size: count, stateChanged() {} };
  const pass = (ms: number) => {
    time += ms;
    deadlines.sweep();
  };
  const makeDeadline = deadlines.add.bind(deadlines);
  return { nodes, watched, log, lines: sink.lines, makeDeadline, now, pass };
}

/** Of active health, in a program of one process. */
const surroundings = {
  settings: { healthInterval: 1, healthTimeout: 1, healthRise: 2, healthFall: 2 },
  workers: onlyWorker,
  topic: "health",
};

const settings = { maxFails: 3, ejectTime: 1000, maxEjectTime: 3000, maxEjected: 50 };

describe("passive health", () => {
  test("a node that fails in a row rests, each time longer, up to a limit", () => {
    const { nodes, watched, log, lines, makeDeadline, pass } = setUp(2);
    const [node] = nodes;
    if (node === undefined) throw new Error("there is no node");
    const health = new PassiveHealth(settings, watched, log, makeDeadline);
    health.failed(node, "x");
    health.failed(node, "x");
    health.succeeded(node);
    health.failed(node, "x");
    health.failed(node, "x");
    expect(node.state).toBe("up");
    health.failed(node, "it broke");
    expect(node.state).toBe("ejected");
    expect(lines.join()).toContain("node 10.0.0.1:1 rests for 1000 ms: it failed 3 times in a row, at last: it broke");
    for (const duration of [1000, 2000, 3000, 3000]) {
      pass(duration - 100);
      expect(node.isEjected).toBe(true);
      pass(200);
      expect(node.isEjected).toBe(false);
      // On trial: one failure is enough.
      health.failed(node, "again");
    }
    pass(4000);
    health.succeeded(node);
    health.failed(node, "x");
    expect(node.state).toBe("up");
  });

  test("never are all of them ejected", () => {
    const { nodes, watched, log, makeDeadline } = setUp(3);
    const health = new PassiveHealth({ ...settings, maxEjected: 100 }, watched, log, makeDeadline);
    for (const node of nodes) for (let i = 0; i < 10; i++) health.failed(node, "x");
    expect(nodes.map(({ state }) => state)).toEqual(["ejected", "ejected", "up"]);
  });

  test("no more of them than maxEjected are", () => {
    const { nodes, watched, log, makeDeadline } = setUp(4);
    const health = new PassiveHealth({ ...settings, maxEjected: 30 }, watched, log, makeDeadline);
    for (const node of nodes) for (let i = 0; i < 10; i++) health.failed(node, "x");
    expect(nodes.filter(({ isEjected }) => isEjected).length).toBe(1);
  });

  test("who is back begins slowly", () => {
    const { nodes, watched, log, makeDeadline, pass } = setUp(2, 1000);
    const [node] = nodes;
    if (node === undefined) throw new Error("there is no node");
    const health = new PassiveHealth(settings, watched, log, makeDeadline);
    expect(node.weight).toBe(100);
    for (let i = 0; i < 3; i++) health.failed(node, "x");
    pass(1010);
    expect(node.weight).toBe(5);
    pass(500);
    expect(node.weight).toBe(50);
    pass(500);
    expect(node.weight).toBe(100);
  });
});

test("active health: so many bad checks in a row bring a node down, so many good ones up again", async () => {
  const { nodes, watched, log, lines } = setUp(1);
  const [node] = nodes;
  if (node === undefined) throw new Error("there is no node");
  const answers = ["x", undefined, "x", "y", "x", undefined, "x", undefined, undefined, undefined];
  const states: string[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const health = new ActiveHealth({
    ...surroundings,
    watched,
    log,
    probe: async () => {
      states.push(node.state);
      if (answers.length === 0) resolve();
      return answers.shift();
    },
  });
  health.watch(node);
  await done;
  await health.stop();
  expect(states.slice(0, 11)).toEqual(["up", "up", "up", "up", "down", "down", "down", "down", "down", "up", "up"]);
  expect(lines.join()).toContain("node 10.0.0.1:1 is down: 2 checks in a row failed, at last: y");
  expect(lines.join()).toContain("node 10.0.0.1:1 is up: 2 checks in a row were good");
});

describe("active health of several workers", () => {
  const settings = { ...surroundings.settings, healthInterval: 5 };

  /** A worker with a node that is the same for all, and what it asks. */
  function join(program: FakeProgram, answer: () => string | undefined) {
    const { nodes, watched, log } = setUp(1);
    const [node] = nodes;
    if (node === undefined) throw new Error("there is no node");
    const asked = { count: 0 };
    const health = new ActiveHealth({
      settings,
      watched,
      log,
      topic: "health",
      workers: program.join(),
      async probe() {
        asked.count++;
        return answer();
      },
    });
    health.watch(node);
    return { node, asked, health };
  }

  test("one asks and tells the others, also those that come later; another goes on when it is gone", async () => {
    let isWell = true;
    const answer = () => (isWell ? undefined : "x");
    const program = new FakeProgram();
    const [first, second] = [join(program, answer), join(program, answer)];
    await expect.poll(() => first.asked.count).toBeGreaterThan(3);
    isWell = false;
    await expect.poll(() => [first.node.state, second.node.state]).toEqual(["down", "down"]);
    const third = join(program, answer);
    await expect.poll(() => third.node.state).toBe("down");
    expect([second.asked.count, third.asked.count]).toEqual([0, 0]);
    program.leave();
    await first.health.stop();
    isWell = true;
    await expect.poll(() => [second.node.state, third.node.state]).toEqual(["up", "up"]);
    expect(third.asked.count).toBe(0);
    await Promise.all([second.health.stop(), third.health.stop()]);
  });
});

test("a check that throws is in the log, and the next one follows", async () => {
  using uncaught = new Uncaught();
  const { nodes, watched, log, lines } = setUp(1);
  const [node] = nodes;
  if (node === undefined) throw new Error("there is no node");
  const { promise: again, resolve } = Promise.withResolvers<void>();
  let checks = 0;
  const health = new ActiveHealth({
    ...surroundings,
    watched,
    log,
    probe: () => {
      if (++checks === 1) throw new Error("on purpose");
      resolve();
      return Promise.resolve(undefined);
    },
  });
  health.watch(node);
  await again;
  await health.stop();
  expect(lines.join()).toMatch(/error failed at a check of node 10\.0\.0\.1:1.*on purpose/s);
  expect(uncaught.errors).toEqual([]);
});

describe("the circuit breaker", () => {
  const settings = { breakerRatio: 50, breakerMinRequests: 4, breakerWindow: 1000, breakerTime: 500 };

  test("opens when too many fail, lets one through later, and closes when that succeeds", () => {
    const { log, now, pass } = setUp(0);
    const breaker = new CircuitBreaker(settings, log, now);
    for (let i = 0; i < 3; i++) breaker.failed();
    expect(breaker.whyNot()).toBeUndefined();
    breaker.failed();
    expect(breaker.whyNot()).toContain("nothing is sent for another 500 ms");
    pass(500);
    expect(breaker.whyNot()).toBeUndefined();
    expect(breaker.whyNot()).toContain("one shows whether");
    breaker.failed();
    expect(breaker.whyNot()).toContain("500 ms");
    pass(500);
    expect(breaker.whyNot()).toBeUndefined();
    // That one's client left: the next one shows.
    breaker.unknown();
    expect(breaker.whyNot()).toBeUndefined();
    breaker.succeeded();
    expect(breaker.whyNot()).toBeUndefined();
    expect(breaker.whyNot()).toBeUndefined();
  });

  test("does not wait for ever for the one that it let through", () => {
    const { log, now, pass } = setUp(0);
    const breaker = new CircuitBreaker(settings, log, now);
    for (let i = 0; i < 4; i++) breaker.failed();
    pass(500);
    expect(breaker.whyNot()).toBeUndefined();
    // No node could take it, so that nothing was heard of it.
    expect(breaker.whyNot()).toContain("one shows whether");
    pass(500);
    expect(breaker.whyNot()).toBeUndefined();
  });

  test("does not look at what is long ago, nor at a share that is small", () => {
    const { log, now, pass } = setUp(0);
    const breaker = new CircuitBreaker(settings, log, now);
    for (let i = 0; i < 3; i++) breaker.failed();
    pass(2000);
    breaker.failed();
    expect(breaker.whyNot()).toBeUndefined();
    for (let i = 0; i < 10; i++) breaker.succeeded();
    for (let i = 0; i < 8; i++) breaker.failed();
    expect(breaker.whyNot()).toBeUndefined();
  });
});

test("a budget for retries grows with the requests, and has a floor", () => {
  const { now, pass } = setUp(0);
  const taken = (budget: RetryBudget) => {
    let count = 0;
    while (count < 1000 && budget.take()) count++;
    return count;
  };
  const budget = new RetryBudget(() => 20, now);
  expect(taken(budget)).toBe(10);
  for (let i = 0; i < 100; i++) budget.requested();
  expect(taken(budget)).toBe(20);
  pass(20_000);
  expect(taken(budget)).toBe(10);
  expect(taken(new RetryBudget(() => 0, now))).toBe(0);
});
