import { readFile } from "node:fs/promises";
import { bootWith, formatConfig, MemorySink, openErrorLog } from "@hemi/internal";
import { expect, test } from "vitest";
import contrib from "./index.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

test("the README lists each dealet", () => {
  for (const { sign } of contrib.definitions) expect(readme).toContain(`\`${sign}\``);
});

test("the configuration in the README boots, and is laid out as hemi fmt does it", async () => {
  const [, config = ""] = /```\n(stage \{.*?)```/s.exec(readme) ?? [];
  expect(formatConfig(config, "README.md")).toEqual({ text: config, problems: [] });
  const log = openErrorLog({ sink: new MemorySink() });
  await using stage = await bootWith([contrib]).bootText(config.replaceAll(/:\d{4}"/g, ':0"'), { log });
  await stage.start();
  expect(stage.state).toBe("running");
});
