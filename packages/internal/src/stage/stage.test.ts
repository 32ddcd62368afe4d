import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { pack } from "../component/pack.ts";
import { HemiError } from "../errors/hemi-error.ts";
import { definer } from "./definer.ts";
import type { Stage } from "../stage.ts";
import { testEngine, probeWebappKind } from "../testing/engine.ts";
import type { ProbePart } from "../testing/engine.ts";

const shop = `stage {
  testServer "main" { .webapps = ("shop") }
  webapp "shop" { rule "a" {} rule {} }
  webapp "blog" {}
  testBackend "api" {}
}`;

const allOf = (step: string, paths: readonly string[]) => paths.map((path) => `${step} ${path}`);
const created = [
  "testBackend.api",
  "webapp.shop",
  "webapp.shop/rule.a",
  "webapp.shop/rule",
  "webapp.blog",
  "testServer.main",
];

async function errorOf(promise: Promise<unknown>): Promise<HemiError> {
  const error: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error instanceof HemiError) return error;
  throw new TypeError(`not a HemiError: ${String(error)}`, { cause: error });
}

function causesOf(error: HemiError): readonly string[] {
  return error.cause instanceof AggregateError ? error.cause.errors.map(String) : [String(error.cause)];
}

describe("the life of a stage", () => {
  test("goes up by rank with children before owners, and down by rank with owners before children", async () => {
    const { bootText, journal } = testEngine();
    const stage = await bootText(shop);
    expect(journal.splice(0)).toEqual(allOf("create", created));
    expect(stage.state).toBe("created");

    const up = [
      "testBackend.api",
      "webapp.shop/rule.a",
      "webapp.shop/rule",
      "webapp.blog",
      "webapp.shop",
      "testServer.main",
    ];
    await stage.start();
    const composed = ["webapp.shop/rule.a", "webapp.shop/rule", "webapp.shop", "testServer.main", "webapp.blog"];
    expect(journal.splice(0)).toEqual([
      ...allOf("prepare", up),
      ...allOf("compose", [...composed, "testBackend.api"]),
      ...allOf("start", up),
    ]);
    expect(stage.state).toBe("running");

    const down = [
      "testServer.main",
      "webapp.shop",
      "webapp.blog",
      "webapp.shop/rule.a",
      "webapp.shop/rule",
      "testBackend.api",
    ];
    await stage.quit();
    expect(journal).toEqual([...allOf("drain", down), ...allOf("shutdown", down)]);
    expect(stage.state).toBe("stopped");
  });

  test("prepares siblings side by side, and a higher rank only after them", async () => {
    const { bootText, journal, gates } = testEngine();
    const gate = Promise.withResolvers<void>();
    gates.set("prepare webapp.a", gate.promise);
    await using stage = await bootText('stage { webapp "a" {} webapp "b" {} testServer "s" {} }');
    journal.length = 0;
    const started = stage.start();
    await expect.poll(() => journal).toEqual(["prepare webapp.a", "prepare webapp.b"]);
    gate.resolve();
    await started;
    expect(journal.at(2)).toBe("prepare testServer.s");
  });

  test("prepares a sibling after those it refers to, and drains it before them", async () => {
    const { bootText, journal } = testEngine();
    const stage = await bootText(`stage {
      testBackend "a" { .peer = "b" } testBackend "b" { .peer = "c" } testBackend "c" {}
    }`);
    journal.length = 0;
    await stage.start();
    expect(journal.splice(0).slice(0, 3)).toEqual(
      allOf("prepare", ["testBackend.c", "testBackend.b", "testBackend.a"]),
    );
    await stage.quit();
    expect(journal.slice(0, 3)).toEqual(allOf("drain", ["testBackend.a", "testBackend.b", "testBackend.c"]));
  });

  test("quits twice and is disposed harmlessly", async () => {
    const { bootText, journal } = testEngine();
    const stage = await bootText(shop);
    await stage.start();
    await Promise.all([stage.quit(), stage.quit()]);
    await stage.quit();
    await stage[Symbol.asyncDispose]();
    expect(journal.filter((line) => line === "shutdown testServer.main")).toHaveLength(1);
  });

  test("a stage that never started shuts nothing down", async () => {
    const { bootText, journal } = testEngine();
    const stage = await bootText(shop);
    journal.length = 0;
    await stage.quit();
    expect(journal).toEqual([]);
    expect((await errorOf(stage.start())).message).toBe("the stage is stopped: it can be started once");
  });

  test("cannot be started twice", async () => {
    const { bootText } = testEngine();
    await using stage = await bootText("stage {}");
    const started = stage.start();
    expect((await errorOf(stage.start())).code).toBe("HEMI_STAGE_STATE");
    await started;
    expect((await errorOf(stage.start())).code).toBe("HEMI_STAGE_STATE");
  });
});

describe("when a component fails", () => {
  test("at create, nothing is prepared, and the error names it", async () => {
    const { bootText, journal } = testEngine();
    const error = await errorOf(bootText('stage { webapp "a" { rule {} rule { .failAt = ("create") } } }'));
    expect([error.code, error.message]).toEqual([
      "HEMI_STAGE_CREATE",
      "webapp.a/rule.2 could not be created: no create",
    ]);
    expect(journal.filter((line) => line.startsWith("shutdown"))).toEqual([]);
  });

  test("at create, by returning nothing, a promise or a function, is told what is wrong", async () => {
    const { bootText } = testEngine();
    const fail = (sign: string, made: unknown) => definer(probeWebappKind)({ sign, create: () => made as ProbePart });
    const made = [fail("empty", undefined), fail("late", Promise.resolve({})), fail("called", () => {})];
    const use = [pack("@bad/pack", made)];
    expect((await errorOf(bootText('stage { empty "a" {} }', { use }))).message).toBe(
      "empty.a could not be created: create returned nothing",
    );
    expect((await errorOf(bootText('stage { late "a" {} }', { use }))).message).toBe(
      "late.a could not be created: create returned a promise: what takes time is for prepare",
    );
    expect((await errorOf(bootText('stage { called "a" {} }', { use }))).message).toBe(
      "called.a could not be created: create returned a function, not an object",
    );
  });

  test("at prepare, exactly those whose prepare was called are shut down, in reverse", async () => {
    const { bootText, journal } = testEngine();
    const stage = await bootText(`stage {
      testBackend "api" {} testServer "main" {}
      webapp "a" { rule {} } webapp "b" { rule { .failAt = ("prepare") } } webapp "c" { rule {} }
    }`);
    journal.length = 0;
    const error = await errorOf(stage.start());
    expect([error.code, error.message]).toEqual([
      "HEMI_STAGE_PREPARE",
      "webapp.b/rule could not be prepared: no prepare",
    ]);
    expect(error.cause).toEqual(new Error("no prepare"));
    const prepared = journal.filter((line) => line.startsWith("prepare")).map((line) => line.slice("prepare ".length));
    const shutDown = journal
      .filter((line) => line.startsWith("shutdown"))
      .map((line) => line.slice("shutdown ".length));
    expect(prepared).toEqual(["testBackend.api", "webapp.a/rule", "webapp.b/rule"]);
    expect(shutDown).toEqual(["webapp.a/rule", "webapp.b/rule", "testBackend.api"]);
    expect(journal.some((line) => line.startsWith("drain") || line.startsWith("start"))).toBe(false);
    expect(stage.state).toBe("stopped");
    await stage.quit();
  });

  test.each(["prepare", "start"] as const)("at %s, siblings that are under way are waited for", async (step) => {
    const { bootText, journal, gates } = testEngine();
    const gate = Promise.withResolvers<void>();
    gates.set(`${step} webapp.slow`, gate.promise);
    const stage = await bootText(`stage { webapp "slow" {} webapp "bad" { .failAt = ("${step}") } }`);
    const started = errorOf(stage.start());
    await expect.poll(() => journal).toContain(`${step} webapp.bad`);
    expect(journal.join()).not.toContain("shutdown");
    gate.resolve();
    await started;
    expect(journal.slice(-2)).toEqual(allOf("shutdown", ["webapp.slow", "webapp.bad"]));
  });

  test("at start, all that were prepared are shut down", async () => {
    const { bootText, journal } = testEngine();
    const stage = await bootText('stage { testBackend "a" { .failAt = ("start") } webapp "b" {} }');
    journal.length = 0;
    const error = await errorOf(stage.start());
    expect([error.code, error.message]).toEqual(["HEMI_STAGE_START", "testBackend.a could not be started: no start"]);
    expect(journal).toEqual([
      ...allOf("prepare", ["testBackend.a", "webapp.b"]),
      ...allOf("compose", ["testBackend.a", "webapp.b"]),
      "start testBackend.a",
      ...allOf("shutdown", ["webapp.b", "testBackend.a"]),
    ]);
  });

  test("those of one rank, and those that fail to shut down then, are all reported", async () => {
    const { bootText } = testEngine();
    const stage = await bootText(`stage {
      testBackend "x" { .failAt = ("shutdown") }
      webapp "a" { .failAt = ("start") } webapp "b" { .failAt = ("start", "shutdown") }
    }`);
    const error = await errorOf(stage.start());
    expect(error.code).toBe("HEMI_STAGE_START");
    expect(causesOf(error)).toEqual([
      "HemiError: webapp.a could not be started: no start",
      "HemiError: webapp.b could not be shut down: no shutdown",
      "HemiError: testBackend.x could not be shut down: no shutdown",
    ]);
  });

  test("at drain or shutdown, the others are shut down all the same, and it is logged and reported", async () => {
    const { bootText, journal, sink } = testEngine();
    const stage = await bootText('stage { webapp "a" { .failAt = ("drain", "shutdown") } testBackend "b" {} }');
    await stage.start();
    const error = await errorOf(stage.quit());
    expect(error.code).toBe("HEMI_STAGE_SHUTDOWN");
    expect(causesOf(error)).toEqual([
      "HemiError: webapp.a could not be drained: no drain",
      "HemiError: webapp.a could not be shut down: no shutdown",
    ]);
    expect(journal.at(-1)).toBe("shutdown testBackend.b");
    expect(sink.lines.filter((line) => line.includes("error webapp.a could not be"))).toHaveLength(2);
    expect(stage.state).toBe("stopped");
    await stage.quit();
  });
});

describe("quit while it starts", () => {
  test("prepares and starts nothing more, and shuts down what was prepared", async () => {
    const { bootText, journal, gates } = testEngine();
    const gate = Promise.withResolvers<void>();
    gates.set("prepare testBackend.a", gate.promise);
    const stage = await bootText('stage { testBackend "a" {} webapp "b" {} }');
    const started = errorOf(stage.start());
    await expect.poll(() => journal).toContain("prepare testBackend.a");
    const quit = stage.quit();
    gate.resolve();
    await quit;
    expect((await started).message).toBe("the stage was quit while it was starting");
    expect(journal.slice(2)).toEqual(["prepare testBackend.a", "shutdown testBackend.a"]);
    expect(stage.state).toBe("stopped");
  });

  test("still reports a component that fails then", async () => {
    const { bootText, journal, gates } = testEngine();
    const gate = Promise.withResolvers<void>();
    gates.set("prepare testBackend.a", gate.promise);
    const stage = await bootText('stage { testBackend "a" {} }');
    const started = errorOf(stage.start());
    await expect.poll(() => journal).toContain("prepare testBackend.a");
    const quit = stage.quit();
    gate.reject(new Error("too late"));
    await quit;
    expect((await started).message).toBe("testBackend.a could not be prepared: too late");
    expect(journal.at(-1)).toBe("shutdown testBackend.a");
  });

  test("after a component failed, waits for the shutdown that is under way", async () => {
    const { bootText, journal, gates } = testEngine();
    const gate = Promise.withResolvers<void>();
    gates.set("shutdown webapp.a", gate.promise);
    const stage = await bootText('stage { webapp "a" { .failAt = ("prepare") } }');
    const started = errorOf(stage.start());
    await expect.poll(() => journal).toContain("shutdown webapp.a");
    const quit = stage.quit();
    gate.resolve();
    await quit;
    expect(stage.state).toBe("stopped");
    expect((await started).code).toBe("HEMI_STAGE_PREPARE");
  });
});

describe("at the deadline", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());
  const never = new Promise<void>(() => undefined);

  test("components that hang in drain or shutdown are abandoned, with a line in the log", async () => {
    const { bootText, journal, gates, sink } = testEngine();
    const stage = await bootText('stage { testServer "s" {} webapp "a" {} webapp "b" {} }');
    await stage.start();
    journal.length = 0;
    gates.set("drain webapp.a", never).set("shutdown webapp.b", never);
    const quit = stage.quit(10_000);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(journal).toEqual(allOf("drain", ["testServer.s", "webapp.a", "webapp.b"]));
    await vi.advanceTimersByTimeAsync(1);
    expect(journal.slice(3)).toEqual(allOf("shutdown", ["testServer.s", "webapp.a", "webapp.b"]));
    expect(stage.state).toBe("stopping");
    await vi.advanceTimersByTimeAsync(5_000);
    await quit;
    expect(sink.lines).toEqual([
      "1970-01-01T00:00:00.000Z error webapp.a was not drained by the deadline, and is abandoned\n",
      "1970-01-01T00:00:00.000Z error webapp.b was not shut down by the deadline, and is abandoned\n",
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a stage that hangs in prepare is given up, and what was prepared is shut down", async () => {
    const { bootText, journal, gates, sink } = testEngine();
    gates.set("prepare webapp.a", never);
    const stage = await bootText('stage { testBackend "x" {} webapp "a" {} }');
    const started = errorOf(stage.start());
    await expect.poll(() => journal).toContain("prepare webapp.a");
    const quit = stage.quit(1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    await quit;
    expect((await started).code).toBe("HEMI_STAGE_STATE");
    expect(sink.lines).toEqual([
      "1970-01-01T00:00:00.000Z error webapp.a was neither prepared nor started by the deadline, and is abandoned\n",
    ]);
    expect(journal.slice(-2)).toEqual(allOf("shutdown", ["webapp.a", "testBackend.x"]));
    expect(vi.getTimerCount()).toBe(0);
  });

  test("components still drain when the process stood still before their turn, for longer than the deadline", async () => {
    const { bootText, gates, sink } = testEngine();
    const stage = await bootText('stage { testServer "s" {} webapp "a" {} }');
    await stage.start();
    const server = Promise.withResolvers<void>();
    const webapp = Promise.withResolvers<void>();
    gates.set("drain testServer.s", server.promise).set("drain webapp.a", webapp.promise);
    const quit = stage.quit(10_000);
    await vi.advanceTimersByTimeAsync(100);
    // As after SIGSTOP: the clocks have gone on, and timers have not fired.
    vi.setSystemTime(Date.now() + 60_000);
    server.resolve();
    await vi.advanceTimersByTimeAsync(1000);
    webapp.resolve();
    await quit;
    expect(sink.lines).toEqual([]);
  });

  test("a wait longer than timers can be set does not end at once", async () => {
    const { bootText, gates } = testEngine();
    const stage = await bootText('stage { webapp "a" {} }');
    await stage.start();
    const gate = Promise.withResolvers<void>();
    gates.set("drain webapp.a", gate.promise);
    const quit = stage.quit(1e12);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(stage.state).toBe("stopping");
    gate.resolve();
    await quit;
  });
});

describe("what a stage knows", () => {
  async function running(text: string): Promise<Stage> {
    const stage = await testEngine().bootText(text);
    await stage.start();
    return stage;
  }

  test("its fixtures, made with default props where the configuration does not name them", async () => {
    await using stage = await running("stage { fcache { .maxOpenFiles = 3 } }");
    expect([...stage.components()].map(({ path }) => path)).toEqual(["clock", "namer", "fcache"]);
    expect(stage.fixtures.clock.now()).toBeGreaterThan(0);
    expect(stage.find("fcache")?.part).toBe(stage.fixtures.fcache);
    expect(stage.find("namer")?.part).toBe(stage.fixtures.namer);
  });

  test("its components by path", async () => {
    await using stage = await running('stage { webapp "a" { rule {} rule "x" {} rule {} } }');
    expect(stage.find("webapp.a/rule.2")?.path).toBe("webapp.a/rule.2");
    expect(stage.component("webapp.a/rule.x")).toBe(stage.find("webapp.a/rule.x"));
    expect(stage.find("webapp.b")).toBeUndefined();
    expect(() => stage.component("webapp.b")).toThrow("the stage has no component webapp.b");
  });

  test("which server takes a request without a socket", async () => {
    await using one = await running('stage { testServer "a" {} webapp "w" {} }');
    expect((await one.inject({ url: "/x" })).text).toBe("testServer.a /x");
    await using two = await running('stage { testServer "a" {} testServer "b" {} }');
    expect((await two.inject({ url: "/" }, { into: "b" })).text).toBe("testServer.b /");
    expect((await two.inject({ url: "/" }, { into: "testServer.a" })).text).toBe("testServer.a /");
    expect((await errorOf(two.inject({ url: "/" }))).message).toBe(
      "say which server takes the request; those that can: testServer.a, testServer.b",
    );
    expect((await errorOf(two.inject({ url: "/" }, { into: "c" }))).message).toBe(
      'no server has the path or name "c"; those that can: testServer.a, testServer.b',
    );
    await using none = await running("stage {}");
    expect((await errorOf(none.inject({ url: "/" }))).code).toBe("HEMI_USAGE");
  });

  test("takes no requests unless it is running", async () => {
    const stage = await testEngine().bootText('stage { testServer "a" {} }');
    expect((await errorOf(stage.inject({ url: "/" }))).code).toBe("HEMI_STAGE_STATE");
    await stage.quit();
  });
});
