import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HemiError } from "../../errors/hemi-error.ts";
import { HostnameTable } from "./hostnames.ts";

function tableOf(...patterns: string[]): HostnameTable<string> {
  return new HostnameTable(patterns.map((pattern) => [pattern, pattern] as const));
}

describe("HostnameTable", () => {
  const table = tableOf("shop.example", "*.shop.example", "*.eu.shop.example", "shop.*", "shop.co.*", "[::1]", "*");

  test.each([
    ["shop.example", "shop.example"],
    ["a.shop.example", "*.shop.example"],
    ["a.b.shop.example", "*.shop.example"],
    ["a.eu.shop.example", "*.eu.shop.example"],
    ["eu.shop.example", "*.shop.example"],
    ["shop.test", "shop.*"],
    ["shop.co.uk", "shop.co.*"],
    ["shop.de.test", "shop.*"],
    ["shop", "*"],
    ["notshop.example", "*"],
    ["shops.test", "*"],
    ["[::1]", "[::1]"],
    ["[::ffff:1.2.3.4]", "*"],
    ["", "*"],
  ])("finds for %s the entry %s", (hostname, expected) => {
    expect(table.find(hostname)).toBe(expected);
  });

  test("prefers a suffix to a prefix", () => {
    expect(tableOf("shop.*", "*.example").find("shop.example")).toBe("*.example");
  });

  test("finds nothing where nothing matches", () => {
    const narrow = tableOf("shop.example", "*.shop.example");
    expect(narrow.find("blog.example")).toBeUndefined();
    expect(narrow.find("example")).toBeUndefined();
    expect(tableOf().find("shop.example")).toBeUndefined();
  });

  test("reads patterns in any case and with a trailing dot", () => {
    expect(tableOf("Shop.EXAMPLE.").find("shop.example")).toBe("Shop.EXAMPLE.");
    expect(tableOf("*.Example.").find("a.example")).toBe("*.Example.");
  });

  test("refuses one pattern for two values, and takes it twice for one", () => {
    expect(() => tableOf("a.example", "A.example")).toThrow(HemiError);
    expect(() => tableOf("*", "*")).not.toThrow();
    expect(
      () =>
        new HostnameTable([
          ["*", 1],
          ["*", 2],
        ]),
    ).toThrow(/given twice/);
  });

  test.each(["", "a..b", "a.*.b", "[::g]"])("refuses the pattern %j", (pattern) => {
    expect(() => tableOf(pattern)).toThrow(/is not a hostname/);
  });

  test("finds what trying every pattern would find", () => {
    const label = fc.constantFrom("a", "b", "c", "aa");
    const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
    const pattern = fc.oneof(
      name,
      name.map((suffix) => "*." + suffix),
      name.map((prefix) => prefix + ".*"),
      fc.constant("*"),
    );
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 8 }), name, (patterns, hostname) => {
        const byLength = [...patterns].sort((one, other) => other.length - one.length);
        const expected =
          patterns.find((each) => each === hostname) ??
          byLength.find((each) => each.startsWith("*.") && hostname.endsWith(each.slice(1))) ??
          byLength.find((each) => each.endsWith(".*") && hostname.startsWith(each.slice(0, -1))) ??
          patterns.find((each) => each === "*");
        expect(tableOf(...patterns).find(hostname)).toBe(expected);
      }),
    );
  });
});
