import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPlainPath, namesNoFile, normalizePath, segmentedPath } from "./path.ts";

describe("normalizePath", () => {
  test.each([
    ["/", "/", "/"],
    ["/a/b.html", "/a/b.html", "/a/b.html"],
    ["/a//b/", "/a//b/", "/a/b/"],
    ["//a///b", "//a///b", "/a/b"],
    ["//%61%2F/b", "//%61%2F/b", "/a/b"],
    ["/admin%2fsecret", "/admin%2fsecret", "/admin/secret"],
    ["/%2Fa", "/%2Fa", "/a"],
    ["/a%5cb", "/a%5cb", "/a\\b"],
    ["/%E9", "/%E9", "/\uFFFD"],
    ["/a%E9%2Fb", "/a%E9%2Fb", "/a\uFFFD/b"],
    ["/.well-known/x", "/.well-known/x", "/.well-known/x"],
    ["/...", "/...", "/..."],
    ["/a.", "/a.", "/a."],
    ["/a%20b", "/a%20b", "/a b"],
    ["/%e4%bd%a0", "/%e4%bd%a0", "/你"],
    ["/%7Euser", "/%7Euser", "/~user"],
    ["/a|b^{c}", "/a|b^{c}", "/a|b^{c}"],
    ["/%EF%BF%BD", "/%EF%BF%BD", "/\uFFFD"],
    ["/x%3Fy%23z", "/x%3Fy%23z", "/x?y#z"],
  ])("gives both forms of %s", (received, encodedPath, path) => {
    expect(normalizePath(received)).toEqual({ encodedPath, path });
  });

  test.each([
    ["/.", "/"],
    ["/a/.", "/a/"],
    ["/a/..", "/"],
    ["/a/b/..", "/a/"],
    ["/a/./b", "/a/b"],
    ["/a/b/../../c", "/c"],
    ["/a//../b", "/a/b"],
    ["//..", "/"],
    ["/a/%2e/b", "/a/b"],
    ["/a/%2E%2e/b", "/b"],
    ["/a/.%2e/b", "/b"],
    ["/a/%2e./b%2e", "/b%2e"],
    ["/%41/../%42", "/%42"],
  ])("removes the dot segments of %s", (received, encodedPath) => {
    expect(normalizePath(received)).toMatchObject({ encodedPath });
  });

  test.each(["/..", "/../", "/a/../..", "/%2e%2e/etc/passwd", "/a/.%2E/%2e./b", "/./.."])(
    "refuses to go above the root with %s",
    (received) => {
      expect(normalizePath(received)).toBe("above the root");
    },
  );

  test.each(["/%", "/%4", "/%zz", "/a%2", "/%%20", "/%u0041", "/%zz/../a"])(
    "refuses the broken percent-encoding of %s",
    (received) => {
      expect(normalizePath(received)).toBe("broken percent-encoding");
    },
  );

  test.each(["/%00", "/a%00.html", "/%00/../a"])("refuses the NUL of %s", (received) => {
    expect(normalizePath(received)).toBe("NUL");
  });

  test.each([
    ["an overlong dot", "/%c0%ae%c0%ae/"],
    ["an overlong slash", "/%e0%80%af"],
    ["a lone surrogate", "/%ed%a0%80"],
    ["a lone continuation", "/%80"],
    ["a cut sequence", "/%e4%bd"],
    ["beyond Unicode", "/%f4%90%80%80"],
  ])("decodes %s to no letter", (_what, received) => {
    expect(normalizePath(received)).toMatchObject({
      encodedPath: received,
      path: expect.stringMatching(/^\/\uFFFD+\/?$/) as unknown,
    });
  });

  test.each(["/x/..%2fadmin", "/x%2F..", "/%2e%2e%2fetc", "/x%2f./y", "/x%2f.", "/x%2F%2E%2E/y"])(
    "refuses the dot segment that an encoded slash makes in %s",
    (received) => {
      expect(normalizePath(received)).toBe("dot segment by an encoded slash");
    },
  );

  test.each(["/a\\b", "/..\\..\\x", "/a#b", "/%20\\"])("refuses the character that no URI has in %s", (received) => {
    expect(normalizePath(received)).toBe("forbidden character");
  });

  test("decodes once only", () => {
    expect(normalizePath("/%252e%252e/%2541")).toEqual({ encodedPath: "/%252e%252e/%2541", path: "/%2e%2e/%41" });
  });
});

function pathOf(received: string) {
  const normal = normalizePath(received);
  if (typeof normal === "string") throw new Error(normal);
  return normal;
}

test.each([
  ["/a/b", "/a/b"],
  ["/a%20b", "/a b"],
  ["/a%252Fb", "/a%2Fb"],
  ["/users/a%2fb/%2F", "/users/a\0b/\0"],
  ["//a//%2Fb", "/a/\0b"],
])("the segments of %s are where the client has cut it", (received, segmented) => {
  expect(segmentedPath(pathOf(received))).toBe(segmented);
});

test.each([
  ["/a/b", false],
  ["/a%20b", false],
  ["/a%252Fb", false],
  ["/a%2fb", true],
  ["/%5C", true],
  ["/%E9", true],
])("that no file has the name %s: %s", (received, expected) => {
  expect(namesNoFile(pathOf(received))).toBe(expected);
});

describe("for any path", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "/",
      "/",
      "/",
      ".",
      "..",
      "%2e",
      "%2E%2e",
      "%2f",
      "%5C",
      "%00",
      "%",
      "%25",
      "\\",
      "#",
      "%C3%A9",
      "%ff",
      "a",
      "b.c",
    ),
    fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 4 }),
  );
  const anyPath = fc.array(piece, { maxLength: 14 }).map((pieces) => "/" + pieces.join(""));

  test("the encoded form is a fixed point and the decoded form its decoding", () => {
    fc.assert(
      fc.property(anyPath, (received) => {
        const normal = normalizePath(received);
        if (typeof normal === "string") return;
        expect(normalizePath(normal.encodedPath)).toEqual(normal);
      }),
    );
  });

  test("neither form has a dot segment or a NUL, and none but the decoded one a backslash", () => {
    fc.assert(
      fc.property(anyPath, (received) => {
        const normal = normalizePath(received);
        if (typeof normal === "string") return;
        expect(normal.encodedPath).toMatch(/^\/[!-[\]-~]*$/);
        expect(normal.path.startsWith("/")).toBe(true);
        for (const form of [normal.encodedPath, normal.path]) {
          expect(form.split("/").some((segment) => segment === "." || segment === "..")).toBe(false);
          expect(form.includes("\0")).toBe(false);
        }
      }),
    );
  });

  test("a plain path is its own two forms", () => {
    fc.assert(
      fc.property(anyPath, (received) => {
        if (!isPlainPath(received)) return;
        expect(normalizePath(received)).toEqual({ encodedPath: received, path: received });
      }),
    );
  });
});
