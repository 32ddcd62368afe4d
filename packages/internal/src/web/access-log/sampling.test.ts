import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { samplingOf } from "./sampling.ts";

const settings = { perMillion: 10_000, alwaysFrom: 400, alwaysSlow: 500 };

test("a share of the requests has a line, and each one that failed, was not completed, or was slow", () => {
  const entry = { status: 200, endReason: "complete", totalTime: 1 } as const;
  const sampled = (change: { status?: number; endReason?: "leftReading"; totalTime?: number }, chance: number) =>
    samplingOf(settings, () => chance)?.({ ...entry, ...change });
  expect(sampled({}, 0.0099)).toBe(true);
  expect(sampled({}, 0.01)).toBe(false);
  expect(sampled({ status: 400 }, 0.9)).toBe(true);
  expect(sampled({ endReason: "leftReading" }, 0.9)).toBe(true);
  expect(sampled({ totalTime: 500 }, 0.9)).toBe(true);
  expect(samplingOf({ ...settings, perMillion: 1_000_000 })).toBeUndefined();
});

test("an access log without a share has the failures alone", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-sampling-"));
  const file = join(folder.path, "access.log");
  {
    await using stage = await bootWith([]).bootText(
      `stage {
        webapp "shop" {
          .hostnames = ("*")
          .accessLog = ["file": "${file}", "format": "json", "perMillion": 0, "alwaysFrom": 500]
          rule $path == "/bad" { .returnCode = 503 }
          rule { .returnText = "hello" }
        }
        httpxServer "main" { .webapps = ("shop") .address = "127.0.0.1:0" }
      }`,
      { log: openErrorLog({ sink: new MemorySink() }) },
    );
    await stage.start();
    for (const url of ["/", "/bad", "/", "/none"]) await stage.inject({ url });
  }
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ status: 503, uri: "/bad" }]);
  expect(lines).toHaveLength(1);
});
