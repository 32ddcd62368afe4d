import { expect, test } from "vitest";
import { scriptOf } from "./script.ts";

const rules = { indexFile: "index.php", endings: [".php", ".phtml"] };

test.each([
  ["/", "/index.php", ""],
  ["/blog/", "/blog/index.php", ""],
  ["/a.php", "/a.php", ""],
  ["/a.phtml", "/a.phtml", ""],
  ["/a.php/b/c", "/a.php", "/b/c"],
  ["/a.php/", "/a.php", "/"],
  ["/a.php/b.php", "/a.php", "/b.php"],
  ["/upload/photo.jpg/x.php", "/upload/photo.jpg/x.php", ""],
  ["/a.php.d/b.php", "/a.php.d/b.php", ""],
  ["/a.php/b\0c", "/a.php", "/b/c"],
])("%s leads to %s with %j behind it", (path, name, pathInfo) => {
  expect(scriptOf(path, rules)).toEqual({ name, pathInfo });
});

test.each(["/a.txt", "/a.php5", "/php", "/.php", "/a/.php", "/a\0b.php", "/a\\b.php", "/\uFFFD.php"])(
  "%s leads to no script",
  (path) => {
    expect(scriptOf(path, rules)).toBeUndefined();
  },
);

test("without endings each path is a script", () => {
  expect(scriptOf("/cgi/run/x", { ...rules, endings: [] })).toEqual({ name: "/cgi/run/x", pathInfo: "" });
});
