import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HemiError } from "../../errors/hemi-error.ts";
import { type CookieOptions, parseCookies, serializeCookie } from "./cookies.ts";

describe("parseCookies", () => {
  test.each([
    ["", {}],
    ["a=1", { a: "1" }],
    ["a=1; b=2;c=3", { a: "1", b: "2", c: "3" }],
    ["a=1; a=2", { a: "1" }],
    ["a=b=c", { a: "b=c" }],
    ["a=", { a: "" }],
    ["novalue; a=1", { a: "1" }],
    ["a=%C3%A9", { a: "é" }],
    ["a=100%; b=%zz", { a: "100%", b: "%zz" }],
    ["A=1; a=2", { A: "1", a: "2" }],
    ["; ;=;a=1;", { a: "1" }],
  ])("reads %j", (field, expected) => {
    expect(parseCookies(field)).toMatchObject(expected);
  });

  test("has no inherited names", () => {
    expect(parseCookies("a=1")["constructor"]).toBeUndefined();
    expect(parseCookies("__proto__=1")["__proto__"]).toBe("1");
  });

  test("survives any text", () => {
    fc.assert(fc.property(fc.string(), (field) => void parseCookies(field)));
  });
});

describe("serializeCookie", () => {
  test("sets the path to / unless told otherwise", () => {
    expect(serializeCookie("a", "1")).toBe("a=1; Path=/");
    expect(serializeCookie("a", "1", { path: "/shop" })).toBe("a=1; Path=/shop");
  });

  test("writes every attribute", () => {
    const options: CookieOptions = {
      maxAge: 60,
      expires: new Date(0),
      path: "/",
      domain: "shop.example",
      secure: true,
      httpOnly: true,
      sameSite: "none",
      partitioned: true,
    };
    expect(serializeCookie("sid", "x", options).split("; ").sort()).toEqual(
      [
        "Domain=shop.example",
        "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "HttpOnly",
        "Max-Age=60",
        "Partitioned",
        "Path=/",
        "SameSite=None",
        "Secure",
        "sid=x",
      ].sort(),
    );
  });

  test("takes the names that promise something, when the promise is kept", () => {
    expect(serializeCookie("__Host-sid", "x", { secure: true })).toBe("__Host-sid=x; Path=/; Secure");
    expect(serializeCookie("__Secure-sid", "x", { secure: true, domain: "a.example", path: "/p" })).toContain("Secure");
  });

  test.each<[string, string, CookieOptions]>([
    ["an empty name", "", {}],
    ["a name with =", "a=b", {}],
    ["a name with a separator", "a;b", {}],
    ["a name with a space", "a b", {}],
    ["a name with a bracket", "a(b", {}],
    ["a name with a line end", "a\r\nb", {}],
    ["a name beyond ASCII", "é", {}],
    ["__Secure- without secure", "__Secure-a", {}],
    ["__secure- in lower case without secure", "__secure-a", {}],
    ["__Host- without secure", "__Host-a", { path: "/" }],
    ["__Host- with a domain", "__Host-a", { secure: true, domain: "a.example" }],
    ["__Host- with another path", "__HOST-a", { secure: true, path: "/x" }],
    ["SameSite=None without secure", "a", { sameSite: "none" }],
    ["Partitioned without secure", "a", { partitioned: true }],
    ["a fraction of a second", "a", { maxAge: 0.5 }],
    ["no number of seconds", "a", { maxAge: Number.NaN }],
    ["an invalid date", "a", { expires: new Date(Number.NaN) }],
    ["a path with a separator", "a", { path: "/;Domain=evil.example" }],
    ["a path with a line end", "a", { path: "/\r\nx: y" }],
    ["a domain with a separator", "a", { domain: "a;b" }],
  ])("refuses %s", (_what, name, options) => {
    expect(() => serializeCookie(name, "x", options)).toThrow(
      expect.objectContaining({ code: "HEMI_BAD_FIELD" }) as HemiError,
    );
  });

  test("round-trips any value, and never lets it add an attribute or a line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (value) => {
        const field = serializeCookie("a", value);
        expect(field).toMatch(/^a=[^;\r\n\s]*; Path=\/$/);
        expect(parseCookies(field.slice(0, field.indexOf(";")))["a"]).toBe(value);
      }),
    );
  });
});
