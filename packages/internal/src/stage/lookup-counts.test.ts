import { expect, test } from "vitest";
import { namerGroup } from "../metrics/groups.ts";
import { Metrics } from "../metrics/metrics.ts";
import { makeNamer } from "../testing/make-namer.ts";
import { countLookups } from "./lookup-counts.ts";
import { onlyWorker } from "./workers.ts";

test("DNS queries are counted by their outcome, and a known name is not asked for again", async () => {
  await using kit = await makeNamer();
  const metrics = new Metrics();
  countLookups(kit.namer, { metrics, workers: onlyWorker });
  kit.dns.records.set("db.example", { A: ["10.0.0.1"] });
  for (const name of ["db.example", "db.example", "10.0.0.2", "localhost"]) await kit.ips(name);
  await expect(kit.ips("none.example")).rejects.toThrow("none.example");
  const numbers = metrics.numbers(namerGroup, ["0"]);
  const { at } = namerGroup;
  expect([numbers[at.found], numbers[at.none], numbers[at.failed]]).toEqual([1, 1, 0]);
  const buckets = numbers.subarray(at.durations, at.durations + 16);
  expect(buckets.reduce((a, b) => a + b)).toBe(2);
});
