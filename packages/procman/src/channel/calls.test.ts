import { expect, test } from "vitest";
import { assertSameProtocol, protocolVersion } from "./calls.ts";

test("leader and workers of different versions do not work together, and say so", () => {
  expect(() => assertSameProtocol(protocolVersion, "workers")).not.toThrow();
  expect(() => assertSameProtocol(protocolVersion + 1, "workers")).toThrow(
    `the workers of the program speak version ${protocolVersion + 1} of the protocol between processes`,
  );
  expect(() => assertSameProtocol(undefined, "leader")).toThrow("the leader of the program speaks an unknown version");
});
