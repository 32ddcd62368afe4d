// How a memCacher keeps its wobjects: packed in slabs, with some of them ready.

import fc from "fast-check";
import { expect, test } from "vitest";
import { wobjectHead } from "../../../testing/wobject-head.ts";
import type { WobjectHead } from "../wobject.ts";
import { MemWobjects } from "./mem-wobjects.ts";
import { packHead, unpackHead } from "./packed-head.ts";

const head = (given: Partial<WobjectHead> = {}): WobjectHead =>
  wobjectHead({
    key: "http://a.example/",
    url: "http://a.example/",
    fieldList: ["content-type", "text/html", "etag", '"1"'],
    storedAt: 1_800_000_000_123,
    ...given,
  });

const text = fc.string({ unit: "grapheme" });

test("a head that was packed is the same again", () => {
  const heads = fc.record({
    key: text,
    url: text,
    status: fc.integer({ min: 100, max: 999 }),
    fieldList: fc
      .array(fc.tuple(fc.constantFrom("etag", "x-other", "text/html", ""), text))
      .map((pairs) => pairs.flat()),
    variant: fc.array(text),
    tags: fc.array(text),
    lifetime: fc.double({ min: 0, noNaN: true }),
    lifetimeFrom: fc.constantFrom("s-maxage", "max-age", "expires", "heuristic", "ttl", "age", "none"),
    initialAge: fc.nat(),
    noCache: fc.boolean(),
    mustRevalidate: fc.boolean(),
    isImmutable: fc.boolean(),
    staleWhileRevalidate: fc.nat(),
    staleIfError: fc.nat(),
    storedAt: fc.integer(),
    isOutdated: fc.boolean(),
  });
  fc.assert(
    fc.property(heads, (given) => {
      expect(unpackHead(given.key, `${packHead(given)}  `)).toEqual(given);
      expect(unpackHead(given.url, packHead({ ...given, key: given.url }))).toEqual({ ...given, key: given.url });
    }),
  );
});

const contentOf = (wobjects: MemWobjects, entry: ReturnType<MemWobjects["add"]>): string =>
  Buffer.from(wobjects.wobjectOf(entry).source.content ?? []).toString();

test("wobjects of all sizes keep their heads and contents while others come and go", () => {
  const wobjects = new MemWobjects({ slabSize: () => 4096, maxReady: () => 5 });
  const kept = new Map<string, ReturnType<MemWobjects["add"]>>();
  const contents = new Map<string, string>();
  let state = 1;
  const random = (limit: number): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % limit;
  for (let i = 0; i < 2000; i++) {
    const key = `http://a.example/${i}`;
    const content = String(i).repeat(random(100));
    kept.set(key, wobjects.add(head({ key, url: key }), [Buffer.from(content)], content.length));
    contents.set(key, content);
    const [victim = ""] = [...kept.keys()].slice(random(kept.size));
    const entry = kept.get(victim);
    if (entry === undefined) continue;
    if (i % 3 === 0)
      wobjects.replaceHead(entry, head({ key: victim, url: victim, fieldList: ["x", "y".repeat(i % 90)] }));
    else if (kept.size > 50) {
      wobjects.remove(entry);
      kept.delete(victim);
    }
  }
  for (const [key, entry] of kept) {
    expect(wobjects.headOf(entry).key).toBe(key);
    expect(contentOf(wobjects, entry)).toBe(contents.get(key));
  }
  // Half of each slab at most, the current one, and those that are ready.
  const bytes = [...kept.values()].reduce((sum, { length }) => sum + length, 0);
  expect(wobjects.otherMemory).toBeLessThan(bytes + 2 * 4096 + 5 * 3000);
});

test("content that was given out stays as it is when its wobject is removed or moved", () => {
  const wobjects = new MemWobjects({ slabSize: () => 4096, maxReady: () => 100 });
  const first = wobjects.add(head(), [Buffer.from("first")], 5);
  const others = Array.from({ length: 100 }, () => wobjects.add(head(), [Buffer.from("other")], 5));
  const given = wobjects.wobjectOf(first).source;
  for (const other of others) wobjects.remove(other);
  expect(contentOf(wobjects, first)).toBe("first");
  wobjects.remove(first);
  for (let i = 0; i < 100; i++) wobjects.add(head(), [Buffer.from("third")], 5);
  expect(Buffer.from(given.content ?? []).toString()).toBe("first");
});

test("what is moved when a slab is full is not overwritten by the wobject that comes next", () => {
  const wobjects = new MemWobjects({ slabSize: () => 8192, maxReady: () => 0 });
  const add = (text: string) => wobjects.add(head(), [Buffer.from(text)], text.length);
  const first = add("first");
  const others = Array.from({ length: Math.floor(8192 / first.length) - 1 }, () => add("other"));
  for (const other of others.slice(1)) wobjects.remove(other);
  const next = add("third");
  expect([first, ...others.slice(0, 1), next].map((entry) => contentOf(wobjects, entry))).toEqual([
    "first",
    "other",
    "third",
  ]);
});

test("a wobject that is asked for stays ready, and others make room for it", () => {
  const wobjects = new MemWobjects({ slabSize: () => 65_536, maxReady: () => 2 });
  const [one, two, three] = ["1", "2", "3"].map((text) => wobjects.add(head(), [Buffer.from(text)], 1));
  if (one === undefined || two === undefined || three === undefined) throw new Error("none was made");
  const ready = wobjects.wobjectOf(one);
  wobjects.wobjectOf(two);
  wobjects.wobjectOf(one);
  wobjects.wobjectOf(three);
  expect(wobjects.wobjectOf(one)).toBe(ready);
  expect(two.ready).toBeUndefined();
  expect(contentOf(wobjects, two)).toBe("2");
});

test.each([100, 1000, 8000, 10_000, 100_000])("who reads %i bytes slowly keeps no other wobjects in memory", (size) => {
  const wobjects = new MemWobjects({ slabSize: () => 1024 * 1024, maxReady: () => 100 });
  const entry = wobjects.add(head(), [Buffer.alloc(size)], size);
  const { content } = wobjects.wobjectOf(entry).source;
  expect(content?.length).toBe(size);
  expect(content?.buffer.byteLength).toBeLessThan(size + 1000);
});

test("contents that are ready beside their slab are counted, and have a bound", () => {
  const wobjects = new MemWobjects({ slabSize: () => 1024 * 1024, maxReady: () => 5 });
  const entries = Array.from({ length: 10 }, () => wobjects.add(head(), [Buffer.alloc(6000)], 6000));
  const before = wobjects.otherMemory;
  const each = 6000 + 3000 + packHead(head()).length;
  for (const entry of entries.slice(0, 2)) wobjects.wobjectOf(entry);
  expect(wobjects.otherMemory - before).toBe(2 * each);
  for (const entry of entries) wobjects.wobjectOf(entry);
  expect(wobjects.otherMemory - before).toBe(2 * each);
  for (const entry of entries) wobjects.remove(entry);
  expect(entries.filter(({ ready }) => ready !== undefined)).toEqual([]);
});

test("long heads that are ready, such as those that clients make by vary, are counted, and have a bound", () => {
  const wobjects = new MemWobjects({ slabSize: () => 1024 * 1024, maxReady: () => 100 });
  const entries = Array.from({ length: 100 }, (_, i) => {
    return wobjects.add(head({ variant: ["cookie", `=${i}`.padEnd(16_000, "x")] }), [Buffer.from("x")], 1);
  });
  const before = wobjects.otherMemory;
  for (const entry of entries) wobjects.wobjectOf(entry);
  const ready = entries.filter((entry) => entry.ready !== undefined).length;
  expect(ready).toBe(18);
  expect(wobjects.otherMemory - before).toBeGreaterThan(ready * 16_000);
});
