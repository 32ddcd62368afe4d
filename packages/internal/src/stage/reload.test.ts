import { describe, expect, test } from "vitest";
import { ConfigError } from "../config/config-error.ts";
import { HemiError } from "../errors/hemi-error.ts";
import { testEngine, type ProbePart, type Step } from "../testing/engine.ts";
import type { Stage } from "../stage.ts";

const shop = `stage {
  .drainTimeout = 5s
  testBackend "api" {}
  webapp "shop" { .peer = "api" rule "a" {} rule {} }
  webapp "blog" {}
  testServer "main" { .webapps = ("shop", "blog") }
}`;

async function running(text = shop) {
  const engine = testEngine();
  const stage = await engine.bootText(text);
  await stage.start();
  engine.journal.length = 0;
  const reload = (text: string) => stage.reload({ text });
  return { ...engine, stage, reload };
}

function partOf(stage: Stage, path: string): ProbePart {
  return stage.component(path).part as ProbePart;
}

async function errorOf(promise: Promise<unknown>): Promise<HemiError> {
  const error: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error instanceof HemiError) return error;
  throw new TypeError(`not a HemiError: ${String(error)}`, { cause: error });
}

describe("a reload", () => {
  test("of an equal configuration touches nothing", async () => {
    const { stage, reload, journal } = await running();
    await using _ = stage;
    const before = [...stage.components()];
    const { kept, updated, created, dropped } = await reload(shop);
    expect({ updated, created, dropped }).toEqual({ updated: [], created: [], dropped: [] });
    expect(kept).toContain("webapp.shop/rule.a");
    expect([...stage.components()]).toEqual(before);
    expect(journal).toEqual([]);
  });

  test("keeps what did not change, and makes the rest anew beside it before it takes its place", async () => {
    const { stage, reload, journal } = await running();
    await using _ = stage;
    const [api, server, webapp] = ["testBackend.api", "testServer.main", "webapp.shop"].map((path) =>
      partOf(stage, path),
    );
    const old = partOf(stage, "webapp.shop/rule.a");
    const { created, dropped, departed } = await reload(shop.replace('rule "a" {}', 'rule "a" { .version = 2 }'));
    expect({ created, dropped }).toEqual({ created: ["webapp.shop/rule.a"], dropped: ["webapp.shop/rule.a"] });
    await departed;
    expect(journal.filter((line) => !line.startsWith("settle "))).toEqual([
      "create webapp.shop/rule.a",
      "prepare webapp.shop/rule.a",
      "compose webapp.shop/rule.a",
      "compose webapp.shop",
      "compose testServer.main",
      "start webapp.shop/rule.a",
      "drain webapp.shop/rule.a",
      "shutdown webapp.shop/rule.a",
    ]);
    expect(partOf(stage, "webapp.shop/rule.a")).not.toBe(old);
    expect(["testBackend.api", "testServer.main", "webapp.shop"].map((path) => partOf(stage, path))).toEqual([
      api,
      server,
      webapp,
    ]);
  });

  test("changes live props in place, by what revise has worked out, and lets those that depend on it compose", async () => {
    const { stage, reload, journal } = await running();
    await using _ = stage;
    expect(partOf(stage, "testServer.main").composed).toEqual(["hello", "hello"]);
    const { updated } = await reload(shop.replace('webapp "blog" {}', 'webapp "blog" { .greeting = "hi" }'));
    expect(updated).toEqual(["webapp.blog"]);
    expect(journal).toEqual(["revise webapp.blog", "update webapp.blog", "compose testServer.main"]);
    expect(partOf(stage, "testServer.main").composed).toEqual(["hello", "hi"]);
  });

  test("points references to the component that took the place of another, at every reload anew", async () => {
    const { stage, reload } = await running();
    await using _ = stage;
    const { peer } = partOf(stage, "webapp.shop");
    for (const version of [2, 3, 4]) {
      await reload(shop.replace('testBackend "api" {}', `testBackend "api" { .version = ${version} }`));
      expect(peer?.current).toBe(partOf(stage, "testBackend.api"));
    }
  });

  test("lets a list of references that is live have other members", async () => {
    const { stage, reload } = await running();
    await using _ = stage;
    const server = partOf(stage, "testServer.main");
    await reload(
      shop
        .replace('("shop", "blog")', '("blog", "new")')
        .replace("webapp", 'webapp "new" { .greeting = "new" } webapp'),
    );
    expect(partOf(stage, "testServer.main")).toBe(server);
    expect(server.composed).toEqual(["hello", "new"]);
  });

  test("tells components by object, not by path: an unnamed rule that moves is the same", async () => {
    const { stage, reload } = await running('stage { webapp "w" { rule { .version = 7 } } }');
    await using _ = stage;
    const rule = stage.component("webapp.w/rule");
    await reload('stage { webapp "w" { rule { .version = 1 } rule { .version = 7 } } }');
    expect(stage.component("webapp.w/rule.2")).toBe(rule);
    expect(rule.path).toBe("webapp.w/rule.2");
  });

  test("reads the source of the stage once more if it is given none", async () => {
    const { stage, journal } = await running();
    await using _ = stage;
    expect((await stage.reload()).dropped).toEqual([]);
    expect(journal).toEqual([]);
  });

  test("waits until those that live on have ended their share, and then drains and shuts down what was dropped", async () => {
    const { stage, reload, journal, gates } = await running();
    await using _ = stage;
    const gate = Promise.withResolvers<void>();
    gates.set("settle testServer.main", gate.promise);
    const { departed } = await reload(shop.replace('webapp "blog" {}', "").replace(', "blog"', ""));
    await new Promise(setImmediate);
    expect(journal).not.toContain("drain webapp.blog");
    gate.resolve();
    await departed;
    expect(journal.slice(-2)).toEqual(["drain webapp.blog", "shutdown webapp.blog"]);
  });

  test("does not wait longer than drainTimeout says", async () => {
    const { stage, reload, journal, gates, sink } = await running();
    await using _ = stage;
    const never = Promise.withResolvers<void>();
    gates.set("settle testServer.main", never.promise);
    const less = shop.replace('webapp "blog" {}', "").replace(', "blog"', "").replace("5s", "10ms");
    await (
      await reload(less)
    ).departed;
    expect(journal.slice(-2)).toEqual(["drain webapp.blog", "shutdown webapp.blog"]);
    expect(sink.lines.join("")).toContain("did not end all work of what a reload dropped by the deadline");
  });

  test("follows one that is under way, and starts from what that one made", async () => {
    const { stage, reload } = await running();
    await using _ = stage;
    const versions = [2, 3, 4].map((version) => shop.replace('rule "a" {}', `rule "a" { .version = ${version} }`));
    const all = await Promise.all(versions.map(reload));
    expect(all.map(({ created }) => created)).toEqual(Array(3).fill(["webapp.shop/rule.a"]));
  });
});

describe("a reload that fails leaves the stage as it was", () => {
  /** `greeting` is live, `version` makes anew. */
  const wanted = shop
    .replace('rule "a" {}', 'rule "a" { .version = 2 }')
    .replace('webapp "blog" {}', 'webapp "blog" { .greeting = "hi" }')
    .replace('testBackend "api" {}', 'testBackend "api" { .version = 2 }');

  async function expectUnharmed(stage: Stage, before: readonly unknown[], server: ProbePart): Promise<void> {
    expect([...stage.components()]).toEqual(before);
    expect(partOf(stage, "webapp.shop").peer?.current).toBe(partOf(stage, "testBackend.api"));
    expect(partOf(stage, "webapp.blog").greeting).toBe("hello");
    expect(server.composed).toEqual(["hello", "hello"]);
    expect((await stage.inject({ url: "/" })).status).toBe(200);
  }

  test("because the configuration is wrong", async () => {
    const { stage, reload, journal } = await running();
    await using _ = stage;
    await expect(reload('stage { webapp "w" { .nothing = 1 } }')).rejects.toThrow(ConfigError);
    expect(journal).toEqual([]);
  });

  const steps: readonly (readonly [Step, path: string, code: string])[] = [
    ["create", "webapp.shop/rule.a", "HEMI_STAGE_CREATE"],
    ["prepare", "webapp.shop/rule.a", "HEMI_STAGE_PREPARE"],
    ["revise", "webapp.blog", "HEMI_STAGE_RELOAD"],
    ["update", "webapp.blog", "HEMI_STAGE_RELOAD"],
    ["compose", "webapp.shop", "HEMI_STAGE_PREPARE"],
    ["start", "testBackend.api", "HEMI_STAGE_START"],
  ];
  test.each(steps)("because %s of %s fails", async (step, path, code) => {
    const { stage, reload, journal, failing } = await running();
    await using _ = stage;
    const before = [...stage.components()];
    const server = partOf(stage, "testServer.main");
    failing.add(`${step} ${path}`);
    expect((await errorOf(reload(wanted))).code).toBe(code);
    failing.clear();
    await expectUnharmed(stage, before, server);
    const prepared = journal.filter((line) => line.startsWith("prepare ")).map((line) => line.slice(8));
    const shutDown = journal.filter((line) => line.startsWith("shutdown ")).map((line) => line.slice(9));
    expect(shutDown.toSorted()).toEqual(prepared.toSorted());
    // And the next one goes through.
    expect((await reload(wanted)).created.toSorted()).toEqual(["testBackend.api", "webapp.shop/rule.a"]);
  });

  test("because prepare does not come back in time", async () => {
    const { stage, gates } = await running();
    await using _ = stage;
    const before = [...stage.components()];
    const server = partOf(stage, "testServer.main");
    gates.set("prepare testBackend.api", Promise.withResolvers<void>().promise);
    const error = await errorOf(stage.reload({ text: wanted }, { patience: 20 }));
    expect([error.code, error.message]).toEqual([
      "HEMI_STAGE_RELOAD",
      "the new configuration was not prepared within 20 ms",
    ]);
    await expectUnharmed(stage, before, server);
  });

  test("because the stage is quit meanwhile", async () => {
    const { stage, reload, journal, gates } = await running();
    gates.set("prepare testBackend.api", Promise.withResolvers<void>().promise);
    const reloaded = errorOf(reload(wanted));
    while (!journal.includes("prepare testBackend.api")) await new Promise(setImmediate);
    await stage.quit();
    expect((await reloaded).message).toBe("the stage was quit while it was reloaded");
    expect(stage.state).toBe("stopped");
  });

  test("because it would change what every stage has once and others hold", async () => {
    const { stage, reload } = await running();
    await using _ = stage;
    const error = await errorOf(reload(shop.replace("stage {", "stage { namer { .tries = 3 }")));
    expect([error.code, error.message]).toEqual([
      "HEMI_STAGE_RELOAD",
      "namer cannot be changed in this way while the stage runs: start the stage anew",
    ]);
  });

  test("because it does not run", async () => {
    const { bootText } = testEngine();
    await using stage = await bootText(shop);
    expect((await errorOf(stage.reload({ text: shop }))).code).toBe("HEMI_STAGE_STATE");
  });
});

test("what was dropped is down when quit comes back, however much time it had", async () => {
  const { stage, reload, journal, gates } = await running();
  gates.set("settle testServer.main", Promise.withResolvers<void>().promise);
  await reload(shop.replace('webapp "blog" {}', "").replace(', "blog"', ""));
  await stage.quit(20);
  expect(journal).toContain("shutdown webapp.blog");
  expect(journal).toContain("shutdown webapp.shop");
});

test("two hundred reloads leave no component behind", async () => {
  const { stage, reload, journal } = await running();
  await using _ = stage;
  for (let i = 0; i < 200; i++) {
    await (
      await reload(shop.replace('rule "a" {}', `rule "a" { .version = ${i + 2} }`))
    ).departed;
  }
  const count = (step: string) => journal.filter((line) => line === `${step} webapp.shop/rule.a`).length;
  expect([count("create"), count("prepare"), count("shutdown")]).toEqual([200, 200, 200]);
  expect([...stage.components()]).toHaveLength(9);
});
