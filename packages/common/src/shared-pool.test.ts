import { expect, test } from "vitest";
import { SharedPool } from "./shared-pool.ts";

function journaled() {
  const journal: string[] = [];
  let number = 0;
  const gate = Promise.withResolvers<void>();
  const pool = new SharedPool<string>(async (value) => {
    journal.push(`close ${value}`);
    await gate.promise;
    journal.push(`closed ${value}`);
  });
  const open = () => {
    const value = `file ${++number}`;
    journal.push(`open ${value}`);
    return value;
  };
  return { pool, open, journal, gate };
}

test("the first user of a key opens its value, and the last one closes it", async () => {
  const { pool, open, journal, gate } = journaled();
  gate.resolve();
  const [one, two, other] = [
    await pool.acquire("a", open),
    await pool.acquire("a", open),
    await pool.acquire("b", open),
  ];
  expect([one.value, two.value, other.value]).toEqual(["file 1", "file 1", "file 2"]);
  await one.release();
  await one.release();
  expect(journal).toEqual(["open file 1", "open file 2"]);
  await two.release();
  expect(journal.slice(2)).toEqual(["close file 1", "closed file 1"]);
  expect(pool.size).toBe(1);
});

test("who asks while the value is being closed gets a new one, after that", async () => {
  const { pool, open, journal, gate } = journaled();
  const first = await pool.acquire("a", open);
  const released = first.release();
  const next = Promise.all([pool.acquire("a", open), pool.acquire("a", open)]);
  gate.resolve();
  expect((await next).map(({ value }) => value)).toEqual(["file 2", "file 2"]);
  await released;
  expect(journal).toEqual(["open file 1", "close file 1", "closed file 1", "open file 2"]);
});

test("a value that cannot be opened is not kept, nor is one that cannot be closed", async () => {
  const pool = new SharedPool<string>(() => {
    throw new Error("on purpose");
  });
  const failing = pool.acquire("a", () => {
    throw new Error("no such file");
  });
  await expect(failing).rejects.toThrow("no such file");
  const share = await pool.acquire("a", () => "open");
  await share.release();
  expect(pool.size).toBe(0);
});
