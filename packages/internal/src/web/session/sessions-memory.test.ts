import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { Sessions } from "./sessions.ts";
import type { StaterPart } from "./stater.ts";

test("a request that is over is garbage for the young collections, with its session", () => {
  setFlagsFromString("--expose-gc");
  const collect: NonNullable<typeof global.gc> = runInNewContext("gc");
  const stater: StaterPart = {
    cookie: { name: "session", sameSite: "lax", maxAge: undefined },
    onDown: "refuse",
    conflict: "last",
    find: () => Promise.resolve(undefined),
    write: () => Promise.resolve("gone"),
    rotate: () => Promise.resolve(undefined),
    destroy: () => Promise.resolve(),
  };
  const sessions = new Sessions(() => stater, openErrorLog({ sink: new MemorySink() }));
  const resp = { isHeadSent: false, setCookie: () => {}, addHeader: () => {} };
  const come = (): void => {
    const content = new Array<number>(1_000).fill(1.5);
    sessions.of({ scheme: "https", cookie: () => String(content[0]) }, resp);
  };
  // Only what the compiler has optimized shows it.
  for (let i = 0; i < 20_000; i++) come();
  collect({ type: "major" });
  const before = getHeapStatistics().used_heap_size;
  for (let i = 0; i < 5_000; i++) {
    come();
    if (i % 50 === 49) collect({ type: "minor" });
  }
  // All of them: 40 MB.
  expect(getHeapStatistics().used_heap_size - before).toBeLessThan(10e6);
});
