import { describe, expect, test } from "vitest";
import { nearestNames } from "./nearest-names.ts";

describe("nearestNames", () => {
  test.each([
    ["hostname", ["hostnames", "webRoot", "host"], ["hostnames"]],
    ["wbeRoot", ["webRoot", "webroot"], ["webRoot", "webroot"]],
    ["webroot", ["webRoot", "webRoots"], ["webRoot"]],
    ["statik", ["static", "stater"], ["static"]],
    ["x", ["y", "z", "long"], ["y", "z"]],
    ["entirely", ["different"], []],
    ["", ["a", "ab"], ["a"]],
    ["cat", ["bat", "car", "cut", "cot"], ["bat", "car", "cot"]],
  ])("finds for %j among %j: %j", (name, known, expected) => {
    expect(nearestNames(name, known)).toEqual(expected);
  });

  test("names that stand several times are given once", () => {
    expect(nearestNames("clok", ["clock", "clock"])).toEqual(["clock"]);
  });

  test("at most as many as asked for", () => {
    expect(nearestNames("cat", ["bat", "car", "cut"], 1)).toEqual(["bat"]);
  });
});
