import { describe, expect, test } from "vitest";
import { likingOf, parseWeights } from "./accept.ts";

describe("parseWeights", () => {
  test.each([
    ["", []],
    ["gzip", [["gzip", 1]]],
    [
      " GZip ; Q=0.5 ,\tbr",
      [
        ["gzip", 0.5],
        ["br", 1],
      ],
    ],
    [
      "a;q=0,b;q=0.,c;q=0.001,d;q=1,e;q=1.000",
      [
        ["a", 0],
        ["b", 0],
        ["c", 0.001],
        ["d", 1],
        ["e", 1],
      ],
    ],
    ["text/html;level=1;q=0.3", [["text/html", 0.3]]],
    ["text/html;charset=utf-8", [["text/html", 1]]],
    [
      "*, */*, text/*",
      [
        ["*", 1],
        ["*/*", 1],
        ["text/*", 1],
      ],
    ],
    [
      "br, br;q=0.5",
      [
        ["br", 1],
        ["br", 0.5],
      ],
    ],
  ])("reads %j", (field, expected) => {
    expect(parseWeights(field)).toEqual(expected.map(([name, weight]) => ({ name, weight })));
  });

  test.each([
    ["no name", ",,;q=1, ,"],
    ["a weight above 1", "gzip;q=1.1, gzip;q=2"],
    ["a weight that is negative", "gzip;q=-1"],
    ["a weight too exact", "gzip;q=0.1234"],
    ["a weight that is no number", "gzip;q=high, gzip;q=, gzip;q=1e0, gzip;q=.5"],
    ["a name that is none", "te xt, a/b/c, a/, /b, (gzip), \u00e9"],
  ])("leaves out what has %s", (_what, field) => {
    expect(parseWeights(field)).toEqual([]);
    expect(parseWeights(`${field}, br`)).toEqual([{ name: "br", weight: 1 }]);
  });
});

test("a field of 400 KB of spaces takes no time to speak of", () => {
  const spaces = " \t".repeat(200_000);
  expect(parseWeights(`gzip;q=${spaces}x${spaces}x, br`)).toEqual([{ name: "br", weight: 1 }]);
  expect(parseWeights(`gzip;${spaces}x, br`)).toHaveLength(2);
  expect(parseWeights(`gzip;${spaces}q${spaces}=${spaces}0.5${spaces}`)).toEqual([{ name: "gzip", weight: 0.5 }]);
});

describe("likingOf", () => {
  test.each([
    ["", 1, false],
    ["text/html", 1, true],
    ["TEXT/HTML", 1, true],
    ["text/*;q=0.4", 0.4, false],
    ["*/*;q=0.2", 0.2, false],
    ["application/json", 0, false],
    ["text/html;q=0, */*", 0, true],
    ["text/*;q=0, */*", 0, false],
    ["*/*;q=0.9, text/html;q=0.1, text/*;q=0.5", 0.1, true],
    ["text/html;q=0.1, text/html;level=1;q=0.7", 0.7, true],
  ])("by %j", (field, weight, isNamed) => {
    expect(likingOf("text/html", parseWeights(field))).toEqual({ weight, isNamed });
  });
});
