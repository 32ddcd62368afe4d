// The contract of CacherPart, as tests that every cacher has to pass.

import assert from "node:assert/strict";
import type { CacherPart } from "../web/cache/cacher.ts";
import type { Wobject, WobjectHead } from "../web/cache/wobject.ts";
import { wobjectHead } from "./wobject-head.ts";
import type { ContractTest } from "./contract-test.ts";

/** A cacher for one test: empty, with room for some MiB. */
export interface CacherSubject extends AsyncDisposable {
  readonly cacher: CacherPart;
}

/** The tests for one cacher. `make` is called for each. */
export function cacherTests(make: () => Promise<CacherSubject>): readonly ContractTest[] {
  const test = (name: string, run: (cacher: CacherPart) => Promise<void>): ContractTest => ({
    name,
    async run() {
      await using subject = await make();
      await run(subject.cacher);
    },
  });
  return [
    test("what is stored is found by its key, with its head and its content", async (cacher) => {
      await store(cacher, { status: 404, fieldList: ["x", "1"] }, "one ", "two");
      const [found, ...others] = await cacher.lookup(url);
      assert(found !== undefined && others.length === 0);
      assert.deepEqual(found.head, wobjectHead({ status: 404, fieldList: ["x", "1"] }));
      assert.equal(await textOf(found), "one two");
      assert.equal(await textOf(found, 4, 2), "tw");
      assert.deepEqual([...(await cacher.lookup("http://a.example/other"))], []);
    }),
    test("a response without content is stored", async (cacher) => {
      const stored = await store(cacher, {});
      assert.equal(stored?.source.size, 0);
    }),
    test("nothing is found of what was aborted, or is not committed yet", async (cacher) => {
      const [open, aborted] = [cacher.begin(url), cacher.begin(url)];
      for (const writer of [open, aborted]) writer.write(Buffer.from("x"));
      aborted.abort();
      assert.equal((await cacher.lookup(url)).length, 0);
      open.abort();
    }),
    test("another variant stands beside, before it, and the same one takes its place", async (cacher) => {
      await store(cacher, { variant: ["accept", "=a"] }, "a1");
      await store(cacher, { variant: ["accept", "=b"] }, "b");
      await store(cacher, { variant: ["accept", "=a"] }, "a2");
      const texts = await Promise.all((await cacher.lookup(url)).map((one) => textOf(one)));
      assert.deepEqual(texts, ["a2", "b"]);
    }),
    test("the variant that was made last comes first, whenever it was stored", async (cacher) => {
      await store(cacher, { variant: ["accept", "=a"], initialAge: 5000 }, "a");
      await store(cacher, { variant: ["accept", "=b"], initialAge: 9000 }, "b");
      await store(cacher, { variant: ["accept", "=c"], initialAge: 1000 }, "c");
      const texts = await Promise.all((await cacher.lookup(url)).map((one) => textOf(one)));
      assert.deepEqual(texts, ["c", "a", "b"]);
    }),
    test("the variant that was validated last comes first, however long ago it was stored", async (cacher) => {
      await store(cacher, { variant: ["accept", "=a"] }, "a");
      await store(cacher, { variant: ["accept", "=b"], storedAt: 1000 }, "b");
      const older = (await cacher.lookup(url)).find(({ head }) => head.variant.includes("=a"));
      assert(older !== undefined);
      cacher.freshen(older, wobjectHead({ variant: ["accept", "=a"], storedAt: 2000 }));
      const texts = await Promise.all((await cacher.lookup(url)).map((one) => textOf(one)));
      assert.deepEqual(texts, ["a", "b"]);
    }),
    test("a wobject gets another head by freshen, and keeps its content", async (cacher) => {
      const stored = await store(cacher, {}, "x");
      assert(stored !== undefined);
      cacher.freshen(stored, wobjectHead({ lifetime: 5 }));
      const [found] = await cacher.lookup(url);
      assert(found !== undefined);
      assert.equal(found.head.lifetime, 5);
      assert.equal(await textOf(found), "x");
    }),
    test("a purged wobject is not brought back by freshen", async (cacher) => {
      const stored = await store(cacher, {}, "x");
      assert(stored !== undefined);
      await cacher.purge({ url });
      cacher.freshen(stored, wobjectHead({}));
      assert.equal((await cacher.lookup(url)).length, 0);
    }),
    test("content that is being read is not affected by a purge", async (cacher) => {
      const stored = await store(cacher, {}, "one ", "two");
      assert(stored !== undefined);
      using opened = stored.source.open();
      await cacher.purge("all");
      let text = "";
      for await (const piece of opened.read({ offset: 0, size: 7 })) text += Buffer.from(piece).toString();
      assert.equal(text, "one two");
    }),
    test("a purge of a URL takes all its variants and keys, and nothing else", async (cacher) => {
      await store(cacher, { variant: ["accept", "=a"] });
      await store(cacher, { variant: ["accept", "=b"] });
      await store(cacher, { key: "custom" });
      await store(cacher, { url: `${url}2`, key: `${url}2` });
      assert.equal(await cacher.purge({ url }, { isDryRun: true }), 3);
      assert.equal((await cacher.lookup(url)).length, 2);
      assert.equal(await cacher.purge({ url }), 3);
      assert.equal((await cacher.lookup(url)).length, 0);
      assert.equal((await cacher.lookup("custom")).length, 0);
      assert.equal((await cacher.lookup(`${url}2`)).length, 1);
    }),
    test("purges by prefix, by tag and of all take what they say", async (cacher) => {
      for (const path of ["a/1", "a/2", "b/1"]) {
        const one = `http://a.example/${path}`;
        await store(cacher, { url: one, key: one, tags: [path.slice(-1)] });
      }
      assert.equal(await cacher.purge({ prefix: "http://a.example/a/" }, { isDryRun: true }), 2);
      assert.equal(await cacher.purge({ tag: "1" }), 2);
      assert.equal(await cacher.purge({ prefix: "http://a.example/a/" }), 1);
      assert.equal(await cacher.purge("all"), 0);
    }),
    test("a soft purge keeps the wobject, which is outdated", async (cacher) => {
      await store(cacher, { tags: ["t"] }, "x");
      assert.equal(await cacher.purge({ tag: "t" }, { isSoft: true }), 1);
      const [found] = await cacher.lookup(url);
      assert.equal(found?.head.isOutdated, true);
    }),
    test("a purge holds for a response under way, whose tags are not known yet", async (cacher) => {
      for (const selector of [{ url }, { prefix: "http://" }, { tag: "t" }, "all"] as const) {
        const writer = cacher.begin(url);
        await cacher.purge(selector);
        assert.equal(await writer.commit(wobjectHead({ tags: ["t"] })), undefined);
        assert.equal((await cacher.lookup(url)).length, 0);
      }
      const other = cacher.begin(url);
      await cacher.purge({ tag: "u" });
      await cacher.purge({ url }, { isDryRun: true });
      assert.notEqual(await other.commit(wobjectHead({ tags: ["t"] })), undefined);
    }),
    test("content that is larger than maxWobjectSize is not stored", async (cacher) => {
      const writer = cacher.begin(url);
      const piece = new Uint8Array(64 * 1024);
      for (let size = 0; size <= cacher.maxWobjectSize; size += piece.length) writer.write(piece);
      assert.equal(await writer.commit(wobjectHead({})), undefined);
      assert.equal((await cacher.lookup(url)).length, 0);
    }),
  ];
}

const url = "http://a.example/a";

async function store(
  cacher: CacherPart,
  head: Partial<WobjectHead>,
  ...pieces: readonly string[]
): Promise<Wobject | undefined> {
  const writer = cacher.begin(head.key ?? url);
  for (const piece of pieces) writer.write(Buffer.from(piece));
  return await writer.commit(wobjectHead(head));
}

async function textOf({ source }: Wobject, offset = 0, size = source.size): Promise<string> {
  using opened = source.open();
  let text = "";
  for await (const piece of opened.read({ offset, size })) text += Buffer.from(piece).toString();
  return text;
}
