import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { askOf } from "../../testing/ask.ts";

test("a host that is remembered does not keep the head that it came in", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const ask = askOf(() => false);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 900; i++) {
    // Cut from a text as long as a head, as the codec does it.
    const head = Buffer.from(`host-${i}.a-long-name.example${"x".repeat(15_000)}`).toString("latin1");
    await ask({ url: "/", headers: { host: head.substring(0, head.indexOf("x".repeat(9))) } });
  }
  collect();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(6_000_000);
  await ask({ url: "/" });
});
