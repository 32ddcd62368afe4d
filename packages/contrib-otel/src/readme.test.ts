import { readFile } from "node:fs/promises";
import { bootWith, MemorySink, openErrorLog } from "@hemi/internal";
import { expect, test } from "vitest";
import contrib from "./index.ts";
import { startCollector } from "./testing/collector.ts";

test("the configuration in the README does what the README says", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, config = ""] = /```\n(stage \{.*?)```/s.exec(readme) ?? [];
  await using collector = await startCollector();
  {
    await using stage = await bootWith([contrib]).bootText(
      config
        .replace("127.0.0.1:3080", "127.0.0.1:0")
        .replace("http://127.0.0.1:4318", collector.url)
        .replace(".traceTo", ".tracesPerMillion = 1000000 .traceTo"),
      { log: openErrorLog({ sink: new MemorySink() }) },
    );
    await stage.start();
    expect((await stage.inject({ url: "/" })).text).toBe("welcome");
  }
  expect(collector.spans.map(({ name }) => name)).toEqual(["webapp.site/rule", "GET webapp.site"]);
});

test("the configuration of docs/traces.md boots", async () => {
  const page = await readFile(new URL("../../../docs/traces.md", import.meta.url), "utf8");
  const [, config = ""] = /```\n(stage \{.*?)```/s.exec(page) ?? [];
  const log = openErrorLog({ sink: new MemorySink() });
  await using stage = await bootWith([contrib]).bootText(config, { log });
  expect(stage.state).toBe("created");
});
