import { expect, test } from "vitest";
import { mediaTypeOf } from "./media-type.ts";

test.each([
  ["index.html", "text/html; charset=utf-8"],
  ["/a/b.c/INDEX.HTM", "text/html; charset=utf-8"],
  ["a.css", "text/css; charset=utf-8"],
  ["a.mjs", "text/javascript; charset=utf-8"],
  ["a.min.js", "text/javascript; charset=utf-8"],
  ["a.txt", "text/plain; charset=utf-8"],
  ["a.json", "application/json"],
  ["a.js.map", "application/json"],
  ["a.xml", "text/xml"],
  ["a.svg", "image/svg+xml"],
  ["a.png", "image/png"],
  ["a.wasm", "application/wasm"],
  ["a.woff2", "font/woff2"],
  ["favicon.ico", "image/x-icon"],
  ["a.tar.gz", "application/gzip"],
  [".htm", "text/html; charset=utf-8"],
])("%s is %s", (fileName, type) => {
  expect(mediaTypeOf(fileName)).toBe(type);
});

test.each(["", "html", "a", "a.", "a.unknown", "/a.html/b", "a.constructor", "a.__proto__", "a.html ", "a.ht ml"])(
  "the type of %j is not known",
  (fileName) => {
    expect(mediaTypeOf(fileName)).toBeUndefined();
  },
);

test("text is said to be in the charset that is given, or in none", () => {
  expect(mediaTypeOf("a.txt", "iso-8859-1")).toBe("text/plain; charset=iso-8859-1");
  expect(mediaTypeOf("a.txt", "")).toBe("text/plain");
  expect(mediaTypeOf("a.xml", "iso-8859-1")).toBe("text/xml");
  expect(mediaTypeOf("a.json", "iso-8859-1")).toBe("application/json");
});
