import { readmeStage } from "@hemi/internal/testing";
import { expect, test } from "vitest";
import contrib from "./index.ts";

test("the configuration in the README is one that runs", async () => {
  await using stage = await readmeStage(new URL("../README.md", import.meta.url), contrib);
  expect(stage.state).toBe("running");
});
