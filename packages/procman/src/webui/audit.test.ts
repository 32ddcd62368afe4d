import { MemorySink, openErrorLog } from "@hemi/hemi/base";
import { expect, test } from "vitest";
import { Audit } from "./audit.ts";

test.each([
  ["pids", undefined, false],
  ["logLevel", {}, false],
  ["logLevel", { level: null }, true],
  ["logLevel", { level: "debug" }, true],
  ["cachePurge", { selectors: ["all"], isDryRun: true }, false],
  ["cachePurge", { selectors: ["all"] }, true],
])("whether %s %j changes something decides whether it is noted: %s", async (name, params, isNoted) => {
  const sink = new MemorySink();
  const audit = new Audit(openErrorLog({ sink }));
  expect(await audit.watch("a command", name, params, () => Promise.resolve("done"))).toBe("done");
  expect(audit.after(0)).toHaveLength(isNoted ? 1 : 0);
  expect(sink.lines.join("").includes("was told to act")).toBe(isNoted);
});

test("a change that fails is noted with its reason", async () => {
  const audit = new Audit(openErrorLog({ sink: new MemorySink() }));
  const failing = audit.watch("a command", "reload", undefined, () => Promise.reject(new Error("no such file")));
  await expect(failing).rejects.toThrow("no such file");
  expect(audit.after(0)).toMatchObject([
    { by: "a command", what: "reload", failure: expect.stringContaining("no such file") as string },
  ]);
});
