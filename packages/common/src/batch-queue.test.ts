import { expect, test } from "vitest";
import { BatchQueue, type BatchOutcome } from "./batch-queue.ts";

/** A queue of letters whose receiver says these outcomes in turn, and then accepts all. */
function letters(outcomes: BatchOutcome[], options: { readonly maxQueue?: number; readonly maxTries?: number } = {}) {
  const { maxQueue = 10, ...others } = options;
  const seen = { tried: [] as string[], sent: 0, dropped: 0 };
  const queue = new BatchQueue<string>({
    limits: { maxQueue, maxBatch: 2, interval: 1 },
    ...others,
    send: (items) => {
      seen.tried.push(items.join(""));
      return Promise.resolve(outcomes.shift() ?? "accepted");
    },
    sent: (count) => (seen.sent += count),
    dropped: (count) => (seen.dropped += count),
  });
  return { queue, seen };
}

test("a batch that is not taken for now is sent again, and in order", async () => {
  const { queue, seen } = letters(["again", "again"]);
  for (const letter of "abcde") queue.add(letter);
  await expect.poll(() => seen.sent).toBe(5);
  expect(seen).toEqual({ tried: ["ab", "ab", "ab", "cd", "e"], sent: 5, dropped: 0 });
  await queue.close();
});

test("a batch is dropped after its last try, or when it is refused, and the next one is sent", async () => {
  const { queue, seen } = letters(["again", "again", "refused"], { maxTries: 2 });
  for (const letter of "abcdef") queue.add(letter);
  await expect.poll(() => seen.sent).toBe(2);
  expect(seen).toEqual({ tried: ["ab", "ab", "cd", "ef"], sent: 2, dropped: 4 });
  await queue.close();
});

test("without a last try, a receiver that is down costs what the queue cannot hold", async () => {
  const { queue, seen } = letters(Array<BatchOutcome>(20).fill("again"), { maxQueue: 3, maxTries: Infinity });
  for (const letter of "abcdefgh") queue.add(letter);
  await expect.poll(() => seen.sent).toBe(3);
  expect(seen.dropped).toBe(5);
  await queue.close();
});

test("what is left at the end is sent once", async () => {
  const { queue, seen } = letters(["accepted", "again"]);
  for (const letter of "abcde") queue.add(letter);
  await queue.close();
  expect(seen).toEqual({ tried: ["ab", "cd"], sent: 2, dropped: 3 });
  queue.add("f");
  expect(seen.dropped).toBe(4);
});
