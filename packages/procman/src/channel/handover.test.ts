import { expect, test } from "vitest";
import { assertSameHandover, handoverVersion } from "./handover.ts";

test("leaders of different versions do not change places, and say so", () => {
  expect(() => assertSameHandover(handoverVersion)).not.toThrow();
  expect(() => assertSameHandover(handoverVersion + 1)).toThrow(
    `the other leader speaks version ${handoverVersion + 1} of the protocol between leaders, and this one version`,
  );
  expect(() => assertSameHandover(undefined)).toThrow("the other leader speaks an unknown version");
});
