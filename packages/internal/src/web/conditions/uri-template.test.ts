import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileUri, faultOfUri, type UriNature, type UriPiece } from "./uri-template.ts";

/** A piece that is `value`, in its plain and its encoded form. */
function value(value: string, nature?: UriNature): UriPiece<[]> {
  const read = (): string => decodeURIComponent(value);
  return nature === undefined ? { read: () => value } : { read, nature, readEncoded: () => value };
}

const path = (text: string): UriPiece<[]> => value(text, "path");
const uri = (text: string): UriPiece<[]> => value(text, "uri");
const query = (text: string): UriPiece<[]> => value(text, "query");
const host = value("a.example:80", "host");

describe("a value stands", () => {
  test.each<[what: string, pieces: UriPiece<[]>[], uri: string]>([
    ["as one segment", ["/a/", value("b/c?d#e"), "/f"], "/a/b%2Fc%3Fd%23e/f"],
    ["with what a segment may hold", ["/", value("a:b@c!$&'()*+,;=~-._")], "/a:b@c!$&'()*+,;=~-._"],
    ["with its percent signs as text", ["/", value("%2F")], "/%252F"],
    ["with its backslashes as text", ["/a/", value("b\\c")], "/a/b%5Cc"],
    ["without lone surrogates", ["/", value("\ud800")], "/%EF%BF%BD"],
    ["as one value of the query", ["/?a=", value("b&c=d/e+f"), "&g"], "/?a=b%26c%3Dd%2Fe%2Bf&g"],
    ["as one value of the fragment", ["/#", value("a#b")], "/#a%23b"],
    ["as it is, if it is a path in the path", ["/a", path("/b%2Fc/d")], "/a/b%2Fc/d"],
    ["as a value, if it is a path in the query", ["/?a=", path("/b/c")], "/?a=%2Fb%2Fc"],
    ["as it is, if it is a URI in the path", ["/a", uri("/b?c=d")], "/a/b?c=d"],
    ["as a value, if it is a URI in the query", ["/?a=", uri("/b?c=d")], "/?a=%2Fb%3Fc%3Dd"],
    ["encoded for path and query, behind a URI", [uri("/b?c=d"), "&e=", value("/?&")], "/b?c=d&e=%2F%3F%26"],
    ["as it is, if it is a query behind the path", ["/a", query("?b=c")], "/a?b=c"],
    ["without its mark, if it is a query in the query", ["/a?b&", query("?c=d")], "/a?b&c=d"],
    ["as it is, if it is a host in its place", ["https://", host, "/a"], "https://a.example:80/a"],
    ["as a segment, if it is a host in the path", ["/", value("a/b", "host")], "/a%2Fb"],
    ["behind a slash, if it is no path behind the host", ["https://", host, path("*")], "https://a.example:80/*"],
    ["encoded, if it is text in the host", ["https://a.example", value("/@b")], "https://a.example%2F%40b"],
  ])("%s", (_what, pieces, expected) => {
    expect(compileUri(pieces)()).toBe(expected);
  });
});

test.each<[UriPiece<[]>[]]>([
  [["/a/", value(".."), "/b"]],
  [["/a/", value("."), "/b"]],
  [["/a/.", value("."), "/b"]],
  [["/a/%2e", value("."), "/b"]],
  [["/a/", value("../b")]],
  [["/a/", value("b\\..")]],
  [["/../a/", value("..")]],
  [["https://a.example/", value("..")]],
  [[value(".."), "/a"]],
  [["/a/.", value("./b", "stretch")]],
  [["/a", uri("/b%2F..")]],
])("values that make a dot segment give 400: %j", (pieces) => {
  expect(compileUri(pieces)).toThrow(expect.objectContaining({ status: 400 }) as Error);
});

test.each<[UriPiece<[]>[], string]>([
  [["/../a/", value("b")], "/../a/b"],
  [["/a/", value("..b")], "/a/..b"],
  [["/a?", value("..")], "/a?.."],
  [["/a#", value("..")], "/a#.."],
  [["/a/.", path("/b")], "/a/./b"],
])("dots elsewhere, and those of the template, stay: %j", (pieces, expected) => {
  expect(compileUri(pieces)()).toBe(expected);
});

test("several slashes at the start become one, wherever they come from", () => {
  expect(compileUri(["/", value(""), "/", value("evil.example")])()).toBe("/evil.example");
  expect(compileUri([path("//evil.example")])()).toBe("/evil.example");
  expect(compileUri(["/", value("/evil.example")])()).toBe("/%2Fevil.example");
});

test("no value changes the structure of the URI", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), (segment, parameter) => {
      const make = compileUri(["https://a.example/b/", value(segment), "/c?d=", value(parameter), "&e#f"]);
      let made: string;
      try {
        made = make();
      } catch {
        expect(segment.replaceAll("\\", "/").split("/")).toSatisfy((parts: string[]) =>
          parts.some((part) => /^\.{1,2}$/.test(part)),
        );
        return;
      }
      const { host, pathname, searchParams, hash } = new URL(made);
      expect([host, hash, [...searchParams]]).toEqual([
        "a.example",
        "#f",
        [
          ["d", parameter.toWellFormed()],
          ["e", ""],
        ],
      ]);
      expect(pathname.split("/").map(decodeURIComponent)).toEqual(["", "b", segment.toWellFormed(), "c"]);
    }),
  );
});

test.each<[UriPiece<[]>[], kind: "path" | "location", fault: string | undefined]>([
  [["/a/", value("b")], "path", undefined],
  [[uri("/a")], "path", undefined],
  [["https://a.example/"], "path", "it begins with a slash"],
  [["/a#", value("b")], "path", "no # and no backslash"],
  [["/a%", value("b")], "location", "two hexadecimal digits"],
  [["/a#", value("b")], "location", undefined],
  [["https://", host, uri("/")], "location", undefined],
  [["https://", host, query("?a")], "location", undefined],
  [["https://a.example/", value("b")], "location", undefined],
  [["https://a.example", value("b")], "location", "a host that no client can choose"],
  [["//", host, "/"], "location", "a host that no client can choose"],
  [[value("/a")], "location", "a host that no client can choose"],
])("%j as a %s: %s", (pieces, kind, fault) => {
  const found = faultOfUri(pieces, kind);
  if (fault === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(fault);
});
