import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { Queries } from "./queries.ts";

describe("Queries", () => {
  test.each([
    ["", []],
    ["?", []],
    ["?a=1", [["a", "1"]]],
    [
      "a=1&b=2",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    ["?a", [["a", ""]]],
    ["?=1", [["", "1"]]],
    ["?a=1=2", [["a", "1=2"]]],
    ["?&&a=1&", [["a", "1"]]],
    [
      "?a=x+y&b+c=%2B",
      [
        ["a", "x y"],
        ["b c", "+"],
      ],
    ],
    ["?%61=%C3%A9", [["a", "é"]]],
    [
      "?a=%&b=%4&c=%zz%41",
      [
        ["a", "%"],
        ["b", "%4"],
        ["c", "%zzA"],
      ],
    ],
    ["?a=%ff+%41", [["a", "%ff A"]]],
    ["??a=1", [["?a", "1"]]],
    ["?a=1;b=2", [["a", "1;b=2"]]],
  ])("reads %s", (text, expected) => {
    expect(new Queries(text).entries()).toEqual(expected);
  });

  test("gives the first value of a name, or all", () => {
    const queries = new Queries("?a=1&b=2&a=3&%61=4");
    expect(queries.get("a")).toBe("1");
    expect(queries.getAll("a")).toEqual(["1", "3", "4"]);
    expect(queries.get("c")).toBeUndefined();
    expect(queries.getAll("c")).toEqual([]);
  });

  test("does not read the text again for each of many names", () => {
    const queries = new Queries("?" + "&".repeat(7000) + "a=1&b=2&a=3");
    const reading = vi.spyOn(String.prototype, "indexOf");
    try {
      for (let i = 0; i < 10; i++) expect(queries.get(`x${i}`)).toBeUndefined();
      const work = reading.mock.calls.length;
      for (let i = 0; i < 100; i++) expect([queries.get("a"), queries.get("b")]).toEqual(["1", "2"]);
      expect(work).toBeLessThan(5 * 7100);
      expect(reading.mock.calls.length).toBe(work);
    } finally {
      reading.mockRestore();
    }
  });

  test("does not take a longer or shorter name, or a value, for the name", () => {
    const queries = new Queries("?ab=1&a%20=2&b=a&x=&=a&a=3");
    expect(queries.get("a")).toBe("3");
    expect(queries.get("__proto__")).toBeUndefined();
  });

  test("looks at no more parameters than its limit", () => {
    const queries = new Queries("?a=1&b=2&c=3", 2);
    expect(queries.get("b")).toBe("2");
    expect(queries.get("c")).toBeUndefined();
    expect(queries.entries()).toHaveLength(2);
    expect(new Queries("?" + "a&".repeat(5000) + "b=1").entries()).toHaveLength(1000);
  });

  test("agrees with itself, and with the standard where the encoding is sound", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "b", "=", "&", "+", "%", "%41", "%C3%A9", "?") }), (text) => {
        const queries = new Queries("?" + text);
        const entries = queries.entries();
        for (const [name] of [...entries, ...entries, ...entries]) {
          expect(queries.get(name)).toBe(entries.find(([each]) => each === name)?.[1]);
          expect(queries.getAll(name)).toEqual(entries.filter(([each]) => each === name).map(([, value]) => value));
        }
        const isBroken = /%(?![0-9A-F]{2})/.test(text);
        if (!isBroken) expect(entries).toEqual([...new URLSearchParams("?" + text)]);
      }),
    );
  });
});
