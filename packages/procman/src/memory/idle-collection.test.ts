// When garbage is collected: on a process of the test's own, and once on this one.

import { getHeapStatistics } from "node:v8";
import { expect, test } from "vitest";
import { IdleCollection, type CollectedProcess } from "./idle-collection.ts";
import { thisProcess } from "./this-process.ts";

const MB = 1024 * 1024;

/** A process whose memory and work the test decides. */
class MadeUpProcess implements CollectedProcess {
  inUse = 80 * MB;
  garbage = 0;
  heap = 20 * MB;
  active = 0;
  readonly collected: string[] = [];

  rss(): number {
    return this.inUse + this.garbage;
  }

  heapUsed(): number {
    return this.heap;
  }

  activeTime(): number {
    return this.active;
  }

  collect(what: "young" | "all"): void {
    this.collected.push(what);
    this.active += 60;
    if (what === "all") this.garbage = 0;
  }

  work(ms: number, garbage: number): void {
    this.active += ms;
    this.garbage += garbage;
  }

  get collections(): number {
    return this.collected.filter((what) => what === "all").length;
  }
}

/** A process whose start is over. */
function setUp(): { process: MadeUpProcess; collection: IdleCollection } {
  const process = new MadeUpProcess();
  const collection = new IdleCollection(process);
  collection.look();
  process.collected.length = 0;
  return { process, collection };
}

test("the garbage of the start is collected once, as soon as the process is idle", () => {
  const process = new MadeUpProcess();
  process.garbage = 25 * MB;
  const collection = new IdleCollection(process);
  process.work(2000, 0);
  collection.look();
  expect(process.collections, "it is busy").toBe(0);
  for (let i = 0; i < 100; i++) collection.look();
  expect(process.collections).toBe(1);
  expect(process.rss()).toBe(80 * MB);
});

test("memory that a burst left behind does not stay with a process that is idle", () => {
  const { process, collection } = setUp();
  process.work(2000, 170 * MB);
  collection.look();
  expect(process.collections, "it is busy").toBe(0);
  collection.look();
  expect(process.collections).toBe(1);
  expect(process.rss()).toBeLessThan(1.3 * 80 * MB);
  for (let i = 0; i < 100; i++) collection.look();
  expect(process.collections, "nothing has happened since").toBe(1);
});

test("a burst whose clients stay while it is idle is collected when they are gone, too", () => {
  const { process, collection } = setUp();
  process.work(1000, 60 * MB);
  process.inUse += 40 * MB;
  for (let i = 0; i < 4; i++) collection.look();
  expect(process.rss()).toBe(120 * MB);
  process.work(200, 40 * MB);
  process.inUse -= 40 * MB;
  for (let i = 0; i < 4; i++) collection.look();
  expect(process.rss()).toBe(80 * MB);
});

test("a process that uses little more than at first is left alone", () => {
  const { process, collection } = setUp();
  process.work(100, 10 * MB);
  for (let i = 0; i < 10; i++) collection.look();
  expect(process.collected).toEqual([]);
});

test("collections that give nothing back become rare", () => {
  const { process, collection } = setUp();
  process.inUse = 500 * MB;
  for (let i = 0; i < 1000; i++) {
    process.work(200, 0);
    collection.look();
  }
  expect(process.collections).toBeGreaterThan(5);
  expect(process.collections).toBeLessThan(25);
});

test("a process that serves no clients is collected while it works, too", () => {
  const process = new MadeUpProcess();
  const collection = new IdleCollection(process, { servesClients: false });
  for (let i = 0; i < 4; i++) {
    process.work(2000, 40 * MB);
    collection.look();
    collection.look();
    expect(process.rss()).toBe(80 * MB);
  }
  expect(process.collections).toBe(4);
});

test("a heap that would take long to collect is left to the runtime", () => {
  const { process, collection } = setUp();
  process.heap = 300 * MB;
  process.work(2000, 170 * MB);
  for (let i = 0; i < 3; i++) collection.look();
  expect(process.collected).toContain("young");
  expect(process.collections).toBe(0);
});

test("the garbage of this process goes, and its pages with it", () => {
  const process = thisProcess();
  // Held until they are old, then dropped.
  const held: { objects: unknown[] } = { objects: Array.from({ length: 500_000 }, (_, i) => ({ i, list: [i] })) };
  process.collect("young");
  process.collect("young");
  const before = getHeapStatistics().total_heap_size;
  expect(held.objects.length).toBe(500_000);
  held.objects = [];
  process.collect("all");
  expect(before - getHeapStatistics().total_heap_size).toBeGreaterThan(20 * MB);
  expect(Reflect.get(globalThis, "gc"), "nobody else gets it").toBe(undefined);
});
