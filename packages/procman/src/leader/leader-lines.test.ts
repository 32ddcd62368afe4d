import { MemorySink, openErrorLog, type LogEntry } from "@hemi/hemi/base";
import { expect, test } from "vitest";
import { LeaderLines } from "./leader-lines.ts";

test("lines of the leader wait for a worker that is ready, within bounds, and are told once", async () => {
  const told: LogEntry[] = [];
  let refused = 0;
  let isReady = false;
  const log = openErrorLog({ sink: new MemorySink() });
  await using _ = new LeaderLines(log, (entries) => {
    if (!isReady) return Promise.reject(new Error(`no worker is ready: ${++refused}`));
    told.push(...entries);
    return Promise.resolve();
  });
  log.withPath("webapp.shop").info("of a component");
  for (let i = 0; i < 300; i++) log.warn(`line ${i}`);
  await expect.poll(() => refused).toBeGreaterThan(0);
  expect(told).toEqual([]);
  isReady = true;
  await expect.poll(() => told).toHaveLength(201);
  expect(told[50]?.text).toBe("… and 101 more lines, which are in the log of the leader only");
  expect(told.slice(0, 2)).toMatchObject([
    { path: "webapp.shop", level: "info", text: "of a component" },
    { path: "leader", level: "warn", text: "line 0" },
  ]);
});
