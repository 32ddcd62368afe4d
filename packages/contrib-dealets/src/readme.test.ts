import { readFile } from "node:fs/promises";
import { readmeStage } from "@hemi/internal/testing";
import { expect, test } from "vitest";
import contrib from "./index.ts";

const readme = new URL("../README.md", import.meta.url);

test("the README lists each dealet", async () => {
  const text = await readFile(readme, "utf8");
  for (const { sign } of contrib.definitions) expect(text).toContain(`\`${sign}\``);
});

test("the configuration in the README boots, and is laid out as hemi fmt does it", async () => {
  await using stage = await readmeStage(readme, contrib);
  expect(stage.state).toBe("running");
});
