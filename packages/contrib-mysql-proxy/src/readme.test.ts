import { readFile } from "node:fs/promises";
import { bootWith, formatConfig, MemorySink, openErrorLog } from "@hemi/internal";
import { expect, test } from "vitest";
import contrib from "./index.ts";

test("the configuration in the README is one that runs", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, config = ""] = /```\n(stage \{.*?)```/s.exec(readme) ?? [];
  expect(formatConfig(config, "README.md")).toEqual({ text: config, problems: [] });
  const log = openErrorLog({ sink: new MemorySink() });
  await using stage = await bootWith([contrib]).bootText(config.replaceAll(":6033", ":0"), { log });
  await stage.start();
  expect(stage.state).toBe("running");
});
