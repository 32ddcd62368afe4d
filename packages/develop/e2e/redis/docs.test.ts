// What docs/several-machines.md shows is run.

import { readFile } from "node:fs/promises";
import contrib from "@hemi/contrib-redis";
import { bootText, formatConfig, MemorySink, openErrorLog } from "@hemi/hemi";
import { expect, test } from "vitest";

test("the configuration of docs/several-machines.md boots, and is laid out as hemi fmt does it", async () => {
  const text = await readFile(new URL("../../../../docs/several-machines.md", import.meta.url), "utf8");
  const configs = [...text.matchAll(/^```\n(.*?)^```$/gms)].map(([, config = ""]) => config);
  expect(configs.length).toBeGreaterThan(0);
  for (const config of configs) {
    await using stage = await bootText(config, {
      use: [contrib],
      env: {},
      log: openErrorLog({ sink: new MemorySink() }),
    });
    expect(stage.state).toBe("created");
    expect(formatConfig(config, "site.conf").problems).toEqual([]);
  }
});
