import { readFile } from "node:fs/promises";
import { bootWith, MemorySink, openErrorLog } from "@hemi/internal";
import { expect, test } from "vitest";
import contrib from "./index.ts";

test("the configuration in the README boots, and serves although there is no Redis", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, config = ""] = /```\n(stage \{.*?)```/s.exec(readme) ?? [];
  await using stage = await bootWith([contrib]).bootText(
    config.replace("127.0.0.1:3080", "127.0.0.1:0").replace(":6379", ":1"),
    {
      log: openErrorLog({ sink: new MemorySink() }),
    },
  );
  await stage.start();
  expect((await stage.inject({ url: "/health" })).text).toBe("well");
});
