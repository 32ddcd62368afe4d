import { mkdtempDisposable } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { PurgeSelector } from "../cacher.ts";
import { DiskIndex, schema, selectionOf } from "./disk-index.ts";

const origin = "http://a.example";

test.each<[PurgeSelector]>([["all"], [{ url: `${origin}/1` }], [{ prefix: `${origin}/` }], [{ tag: "x" }]])(
  "a purge of %j finds each portion by an index, and sorts nothing",
  (selector) => {
    const database = new DatabaseSync(":memory:");
    database.exec(schema);
    const { sql, values } = selectionOf(selector);
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
    for (const { detail } of plan) expect(detail).toMatch(/^SEARCH /);
    expect(plan.length).toBeGreaterThan(0);
    database.close();
  },
);

test("a purge of many selects each of them once, whatever is removed meanwhile", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-index-"));
  const index = await DiskIndex.open(folder.path);
  // Several variants of each URL, so that portions end within one.
  const paths = Array.from({ length: 1500 }, (_, i) => `${Math.floor(i / 7)}/${i % 7}`);
  const adding = paths.map((path, i) => {
    const [page = ""] = path.split("/");
    const url = `${origin}/${i < 1400 ? "in" : "out"}/${page}`;
    return index.add({ path, key: url, url, tags: i < 1400 ? ["x", "y"] : ["y"], size: 1, storedAt: i });
  });
  await Promise.all(adding);
  const wanted = paths.slice(0, 1400).sort();
  const selectors: readonly PurgeSelector[] = [{ prefix: `${origin}/in/` }, { tag: "x" }];
  for (const selector of selectors) expect([...index.selected(selector)].flat().sort()).toEqual(wanted);
  expect([...index.selected({ url: `${origin}/in/3` })].flat().sort()).toEqual(
    wanted.filter((p) => p.startsWith("3/")),
  );
  expect([...index.selected({ prefix: `${origin}/none/` })]).toEqual([]);
  expect([...index.selected("all")].flat().sort()).toEqual(paths.sort());
  const removed: string[] = [];
  for (const portion of index.selected({ prefix: `${origin}/in/` })) {
    removed.push(...portion);
    await index.remove(portion, index.lastId);
  }
  expect(removed.sort()).toEqual(wanted);
  expect([...index.selected("all")].flat()).toHaveLength(100);
  await index.close();
});

test("a file that has come to the place of a removed one stays listed", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-index-"));
  const index = await DiskIndex.open(folder.path);
  const file = { path: "a/b", key: "k", url: `${origin}/`, tags: ["x"], size: 1, storedAt: 1 };
  await index.add(file);
  // Two workers purge the same file, and one of them stores the next one before the other has done so.
  const { lastId } = index;
  await index.remove([file.path], index.lastId);
  await index.add({ ...file, storedAt: 2 });
  await index.remove([file.path], lastId);
  expect([...index.selected({ tag: "x" })]).toEqual([[file.path]]);
  await index.close();
});

test("of variants, those that were stored before the clock was put back are the first to go", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-index-"));
  const index = await DiskIndex.open(folder.path);
  const times = { "future-1": 9_000_000, "future-2": 9_000_001, "now-1": 1_000_000, "now-2": 1_000_001 };
  for (const [path, storedAt] of Object.entries(times)) {
    await index.add({ path, key: "k", url: "k", tags: [], size: 1, storedAt });
  }
  expect(index.surplus("k", 2, 1_000_002)).toEqual(["future-2", "future-1"]);
  expect(index.surplus("k", 2, 9_000_002)).toEqual(["now-2", "now-1"]);
  await index.close();
});
