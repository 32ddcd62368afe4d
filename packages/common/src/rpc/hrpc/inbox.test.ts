import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { frameFlags } from "./frames.ts";
import { Inbox } from "./inbox.ts";

function makeInbox(maxMessageSize = 4 * 1024 * 1024): Inbox {
  return new Inbox({ credit: 65_536, maxMessageSize, grant: () => undefined });
}

/** In bytes, without garbage. */
function memory(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test.each([
  ["empty", 0],
  ["tiny", 1],
])("a message that comes in ever more %s pieces takes no more memory than its bytes", (_what, size) => {
  const inbox = makeInbox();
  void inbox.next();
  const before = memory();
  for (let i = 0; i < 300_000; i++) inbox.push(new Uint8Array(size), frameFlags.more);
  expect(memory() - before).toBeLessThan(5_000_000);
  // It is in use until here.
  expect(() => inbox.end()).toThrow("within a message");
});

test("a message is put together from pieces of any size", async () => {
  const inbox = makeInbox(10);
  const next = inbox.next();
  for (const text of ["", "ab", "", "cdefg"]) inbox.push(Buffer.from(text), frameFlags.more);
  inbox.push(Buffer.from("hij"), 0);
  expect(Buffer.from((await next)?.bytes ?? []).toString()).toBe("abcdefghij");
});
