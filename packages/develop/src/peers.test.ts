import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { debianPackages, findPeer, peer } from "./peers.ts";

const missing = "no-such-program" as "curl";

test("finds a program on PATH", () => {
  vi.stubEnv("PATH", `/nowhere:${process.execPath.replace(/\/node$/, "")}`);
  expect(findPeer("node" as "curl")).toBe(process.execPath);
});

test("a missing peer skips the test and says why", (context) => {
  vi.stubEnv("HEMI_DEMAND_PEERS", "");
  const skip = vi.fn(() => {
    throw new Error("skipped");
  });
  expect(() => peer(missing, { ...context, skip })).toThrow("skipped");
  expect(skip).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("needs the program no-such-program"));
});

test("a missing peer fails the test where peers are demanded", (context) => {
  vi.stubEnv("HEMI_DEMAND_PEERS", "1");
  expect(() => peer(missing, context)).toThrow("needs the program no-such-program");
});

test("continuous integration installs every peer", () => {
  const script = readFileSync(new URL("../../../.ci/run", import.meta.url), "utf8");
  const installed = /^packages=\((.*)\)$/m.exec(script)?.[1]?.split(" ");
  expect(installed).toEqual(expect.arrayContaining(Object.values(debianPackages)));
});
