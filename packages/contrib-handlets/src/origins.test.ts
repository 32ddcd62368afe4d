import { describe, expect, test } from "vitest";
import { originLike, OriginSet, parseOriginPattern } from "./origins.ts";

describe("an origin set", () => {
  const set = new OriginSet([
    "https://shop.example",
    "http://localhost:3000",
    "capacitor://localhost",
    "*.shops.example",
    "http://*.dev.example:8080",
  ]);

  test.each([
    "https://shop.example",
    "http://localhost:3000",
    "capacitor://localhost",
    "https://a.shops.example",
    "https://a-1.b_2.shops.example",
    "http://x.dev.example:8080",
  ])("has %s", (origin) => expect(set.has(origin)).toBe(true));

  test.each([
    "",
    "null",
    "http://shop.example",
    "https://shop.example:8443",
    "https://shop.example.evil.example",
    "https://evilshop.example",
    "https://Shop.Example",
    "https://shops.example",
    "https://.shops.example",
    "http://a.shops.example",
    "https://a.shops.example:444",
    "https://evil.example/.shops.example",
    "https://evil.example?.shops.example",
    "https://evil.example:1.shops.example",
    "https://a@b.shops.example",
    "http://x.dev.example",
    "https://shop.example, https://evil.example",
  ])("has not %j", (origin) => expect(set.has(origin)).toBe(false));

  test("with `*` has all, `null` too", () => {
    const any = new OriginSet(["https://a.example", "*"]);
    expect(any.isAny).toBe(true);
    expect(any.has("null")).toBe(true);
  });
});

test.each([
  ["shop.example", undefined],
  ["https://shop.example/", "https://shop.example"],
  ["https://Shop.Example", "https://shop.example"],
  ["https://shop.example:443", "https://shop.example"],
  ["https://*.shop.example/path", "https://*.shop.example"],
  ["https://bücher.example", "https://xn--bcher-kva.example"],
  ["https://shop.*", undefined],
  ["https://a*.shop.example", undefined],
  ["*.*.shop.example", undefined],
  ["**", undefined],
  ["null", undefined],
  ["", undefined],
])("%j is no pattern; meant may be %j", (text, meant) => {
  expect(parseOriginPattern(text)).toBeUndefined();
  expect(originLike(text)).toBe(meant);
});
