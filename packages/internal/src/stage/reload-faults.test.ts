import { expect, test } from "vitest";
import { testEngine } from "../testing/engine.ts";

const shop = `stage {
  .drainTimeout = 5s
  testBackend "api" {}
  webapp "shop" { .peer = "api" rule "a" {} rule {} }
  webapp "blog" {}
  testServer "main" { .webapps = ("shop", "blog") }
}`;
const withoutBlog = shop.replace('webapp "blog" {}', "").replace(', "blog"', "");
const otherApi = (text: string) => text.replace('testBackend "api" {}', 'testBackend "api" { .version = 2 }');
const otherServer = (text: string) => text.replace('testServer "main" {', 'testServer "main" { .version = 2');
const never = new Promise<void>(() => undefined);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function running(text = shop) {
  const engine = testEngine();
  const stage = await engine.bootText(text);
  await stage.start();
  engine.journal.length = 0;
  return { ...engine, stage, reload: (text: string) => stage.reload({ text }) };
}

test("a reload whose new component hangs in start is undone when the patience is over", async () => {
  const { stage, gates, journal } = await running();
  await using _ = stage;
  const before = [...stage.components()];
  gates.set("start testBackend.api", never);
  const error: unknown = await stage
    .reload({ text: otherApi(shop) }, { patience: 1000 })
    .catch((error: unknown) => error);
  expect(error).toMatchObject({ code: "HEMI_STAGE_RELOAD" });
  expect([...stage.components()]).toEqual(before);
  expect(journal).toContain("shutdown testBackend.api");
  gates.clear();
  expect((await stage.reload({ text: otherApi(shop) })).created).toEqual(["testBackend.api"]);
});

test("a stage that is quit while a reload hangs in start shuts down what is old and what is new", async () => {
  const { stage, gates, journal, reload } = await running();
  gates.set("start testBackend.api", never);
  const reloaded = reload(otherApi(shop)).catch((error: unknown) => error);
  while (!journal.includes("start testBackend.api")) await turn();
  await stage.quit(1000);
  expect(await reloaded).toMatchObject({ code: "HEMI_STAGE_STATE" });
  expect(journal.filter((line) => line === "shutdown testBackend.api")).toHaveLength(2);
});

test("what was prepared too late for a reload is shut down once more, when its prepare has come back", async () => {
  const { stage, gates, journal } = await running();
  await using _ = stage;
  const { promise, resolve } = Promise.withResolvers<void>();
  gates.set("prepare testBackend.api", promise);
  await stage.reload({ text: otherApi(shop) }, { patience: 1000 }).catch(() => undefined);
  const count = () => journal.filter((line) => line === "shutdown testBackend.api").length;
  expect(count()).toBe(1);
  resolve();
  await expect.poll(count).toBe(2);
});

test("a reload that is asked for while the stage starts follows the start", async () => {
  const { bootText, gates, journal } = testEngine();
  await using stage = await bootText(shop);
  const { promise, resolve } = Promise.withResolvers<void>();
  gates.set("prepare webapp.blog", promise);
  const started = stage.start();
  const reloaded = stage.reload({ text: withoutBlog });
  while (!journal.includes("prepare webapp.blog")) await turn();
  resolve();
  await started;
  expect((await reloaded).dropped).toEqual(["webapp.blog"]);
});

test("a second reload does not shut down what the work of a server needs that the first one dropped", async () => {
  const { stage, reload, journal, gates } = await running();
  await using _ = stage;
  const drained = Promise.withResolvers<void>();
  gates.set("drain testServer.main", drained.promise);
  await reload(otherServer(shop));
  while (!journal.includes("drain testServer.main")) await turn();
  gates.clear();
  const { departed } = await reload(otherServer(otherApi(shop)));
  for (let i = 0; i < 10; i++) await turn();
  expect(journal).not.toContain("shutdown testBackend.api");
  drained.resolve();
  await departed;
  expect(journal).toContain("shutdown testBackend.api");
});

test("a server that a second reload drops takes nothing new at once, whatever the first one still waits for", async () => {
  const { stage, reload, journal, gates } = await running();
  await using _ = stage;
  const drained = Promise.withResolvers<void>();
  gates.set("drain webapp.blog", drained.promise);
  await reload(withoutBlog);
  while (!journal.includes("drain webapp.blog")) await turn();
  const { departed } = await reload(otherServer(withoutBlog));
  while (!journal.includes("drain testServer.main")) await turn();
  drained.resolve();
  await departed;
});

test("a dropped server that hangs in drain is shut down when quit comes back", async () => {
  const patient = shop.replace("5s", "60s");
  const { stage, reload, journal, gates } = await running(patient);
  gates.set("drain testServer.main", never);
  await reload(otherServer(patient));
  while (!journal.includes("drain testServer.main")) await turn();
  await stage.quit(20);
  expect(journal.filter((line) => line === "shutdown testServer.main")).toHaveLength(2);
});

test("those that live on are told which of them used what was dropped", async () => {
  const { stage, reload } = await running();
  await using _ = stage;
  const told: string[][] = [];
  const server = stage.component("testServer.main").part;
  const pathOf = (part: object) => [...stage.components()].find((component) => component.part === part)?.path ?? "";
  Object.assign(server, {
    settle: (_dropped: unknown, _deadline: unknown, users: ReadonlySet<object>) =>
      void told.push([...users].map(pathOf)),
  });
  await reload(otherApi(shop));
  expect(told.map((paths) => paths.sort())).toEqual([["testServer.main", "webapp.shop"]]);
});
