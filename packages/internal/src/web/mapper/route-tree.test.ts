import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePattern } from "./pattern.ts";
import { RouteTree } from "./route-tree.ts";

/** Routes like `GET /users/:id`; without a method, any. Each one's target is its own text. */
function treeOf(...routes: string[]): RouteTree<string> {
  const tree = new RouteTree<string>();
  for (const text of routes) {
    const [pattern = "", method] = text.split(" ").reverse();
    expect(tree.add({ method, pattern: parsePattern(pattern), target: text })).toBeUndefined();
  }
  return tree;
}

function find(
  tree: RouteTree<string>,
  method: string,
  path: string,
): [target: string, params: Record<string, string>] | undefined {
  const match = tree.find(method, path);
  return match && [match.route.target, { ...match.params }];
}

describe("what a path leads to", () => {
  const tree = treeOf(
    "GET /",
    "GET /users",
    "GET /users/me",
    "GET /users/:id(\\d+)",
    "GET /users/:id([a-f]+)",
    "GET /users/:name",
    "GET /users/:id/posts",
    "GET /users/:user/posts/:post",
    "GET /users/mega/posts",
    "GET /users/*rest",
    "GET /units/:unit",
    "GET /files/*",
    "GET /café/:é_".replace("é_", "id"),
    "GET /v1/books:batch/:id",
    "GET /:a/:b/:c",
  );

  test.each([
    ["/", "GET /", {}],
    ["/users", "GET /users", {}],
    ["/users/me", "GET /users/me", {}],
    ["/users/42", "GET /users/:id(\\d+)", { id: "42" }],
    ["/users/cafe", "GET /users/:id([a-f]+)", { id: "cafe" }],
    ["/users/42x", "GET /users/:name", { name: "42x" }],
    ["/users/m", "GET /users/:name", { name: "m" }],
    ["/users/meg", "GET /users/:name", { name: "meg" }],
    ["/users/me/posts", "GET /users/:id/posts", { id: "me" }],
    ["/users/42/posts", "GET /users/:id/posts", { id: "42" }],
    ["/users/mega/posts", "GET /users/mega/posts", {}],
    ["/users/mega/posts/1", "GET /users/:user/posts/:post", { user: "mega", post: "1" }],
    ["/users/mega/x", "GET /users/*rest", { rest: "mega/x" }],
    ["/users/", "GET /users/*rest", { rest: "" }],
    ["/users//", "GET /users/*rest", { rest: "/" }],
    ["/users/42/", "GET /users/*rest", { rest: "42/" }],
    ["/units/m", "GET /units/:unit", { unit: "m" }],
    ["/files/", "GET /files/*", { "*": "" }],
    ["/files/a/b", "GET /files/*", { "*": "a/b" }],
    ["/café/crème", "GET /café/:id", { id: "crème" }],
    ["/v1/books:batch/7", "GET /v1/books:batch/:id", { id: "7" }],
    ["/users/a\0b", "GET /users/:name", { name: "a/b" }],
    ["/x/y/z", "GET /:a/:b/:c", { a: "x", b: "y", c: "z" }],
    ["/units/y/z", "GET /:a/:b/:c", { a: "units", b: "y", c: "z" }],
  ])("%s leads to %s", (path, target, params) => {
    expect(find(tree, "GET", path)).toEqual([target, params]);
  });

  test.each([
    "/user",
    "/files",
    "/units",
    "/units/",
    "/units//",
    "/units/a/",
    "//",
    "/x//z",
    "",
    "*",
    "/caf",
    "/Users",
  ])("%s leads nowhere", (path) => {
    expect(tree.find("GET", path)).toBeUndefined();
  });

  test("a path longer than any route, or of many segments, does no harm", () => {
    expect(tree.find("GET", "/x".repeat(50_000))).toBeUndefined();
    expect(find(tree, "GET", "/files/" + "x/".repeat(50_000))?.[0]).toBe("GET /files/*");
  });
});

describe("what a method leads to", () => {
  const tree = treeOf(
    "GET /a",
    "POST /a",
    "DELETE /:x",
    "HEAD /:x",
    "PUT /*rest",
    "/any/:x",
    "PATCH /any/:x",
    "GET /b/:x",
    "/b/*rest",
  );

  test.each([
    ["GET", "/a", "GET /a"],
    ["HEAD", "/a", "GET /a"],
    ["DELETE", "/a", "DELETE /:x"],
    ["HEAD", "/z", "HEAD /:x"],
    ["PUT", "/a", "PUT /*rest"],
    ["PATCH", "/any/1", "PATCH /any/:x"],
    ["PUT", "/any/1", "/any/:x"],
    ["BREW", "/any/1", "/any/:x"],
    ["HEAD", "/b/1", "GET /b/:x"],
    ["POST", "/b/1", "/b/*rest"],
    ["GET", "/z", undefined],
    ["get", "/a", undefined],
    ["PATCH", "/a", undefined],
  ])("%s %s leads to %s", (method, path, target) => {
    expect(tree.find(method, path)?.route.target).toBe(target);
  });

  test.each([
    ["/a", ["DELETE", "GET", "HEAD", "POST", "PUT"]],
    ["/z", ["DELETE", "HEAD", "PUT"]],
    ["/z/z", ["PUT"]],
    ["*", []],
  ])("%s has the methods %s", (path, methods) => {
    expect(tree.methodsOf(path)).toEqual(methods);
  });
});

test("the route that stands in the way of another is given back", () => {
  const tree = treeOf("GET /a/:x", "GET /a/:x(\\d)", "/a/:x", "GET /s", "GET /a/*x");
  const routeOf = (method: string | undefined, text: string) => ({
    method,
    pattern: parsePattern(text),
    target: "new",
  });
  expect(tree.add(routeOf("GET", "/a/:y"))?.target).toBe("GET /a/:x");
  expect(tree.add(routeOf("GET", "/a/:y(\\d)"))?.target).toBe("GET /a/:x(\\d)");
  expect(tree.add(routeOf(undefined, "/a/:y"))?.target).toBe("/a/:x");
  expect(tree.add(routeOf("GET", "/s"))?.target).toBe("GET /s");
  expect(tree.add(routeOf("GET", "/a/*"))?.target).toBe("GET /a/*x");
  expect(tree.add(routeOf("POST", "/a/:y"))).toBeUndefined();
  expect(tree.find("GET", "/a/x")?.route.target).toBe("GET /a/:x");
});

test("finds what comparing all patterns segment by segment would find", () => {
  const segment = fc.constantFrom("a", "ab", "b", "", ":x", ":y(a+)", ":z(b)");
  const pattern = fc
    .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(
      ([segments, isWild]) =>
        "/" + [...segments.map((each, i) => each.replace(/^:./, `:p${i}`)), ...(isWild ? ["*"] : [])].join("/"),
    );
  const path = fc
    .array(fc.constantFrom("a", "aa", "ab", "b", "c", ""), { minLength: 1, maxLength: 5 })
    .map((segments) => "/" + segments.join("/"));
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 12 }), path, (texts, asked) => {
      const tree = new RouteTree<string>();
      const patterns = texts
        .map(parsePattern)
        .filter((each) => tree.add({ method: "GET", pattern: each, target: each.text }) === undefined);
      expect(tree.find("GET", asked)?.route.target).toBe(
        bestOf(
          patterns.map((each) => each.text),
          asked,
        ),
      );
    }),
    { numRuns: 500 },
  );
});

/** The slow and plain way: among the patterns that match, the one whose segments rank best from left to right. */
function bestOf(patterns: string[], path: string): string | undefined {
  const segments = path.slice(1).split("/");
  const constraints = [
    ...new Set(
      patterns
        .flatMap((text) => text.slice(1).split("/"))
        .map(constraintOf)
        .filter((each) => each !== undefined),
    ),
  ];
  const ranked = patterns.flatMap((text) => {
    const parts = text.slice(1).split("/");
    const isWild = parts.at(-1) === "*";
    if (isWild ? segments.length < parts.length : segments.length !== parts.length) return [];
    const ranks = parts.map((part, i) => rankOf(part, segments[i] ?? "", constraints));
    return ranks.includes(undefined)
      ? []
      : [{ text, key: ranks.map((rank) => String.fromCharCode(65 + (rank ?? 0))).join("") }];
  });
  return ranked.sort((one, other) => (one.key < other.key ? -1 : 1))[0]?.text;
}

function constraintOf(part: string): string | undefined {
  return /\((.*)\)/.exec(part)?.[1];
}

function rankOf(part: string, segment: string, constraints: string[]): number | undefined {
  if (part === "*") return 50;
  if (!part.startsWith(":")) return part === segment ? 0 : undefined;
  const constraint = constraintOf(part);
  if (segment === "") return undefined;
  if (constraint === undefined) return 49;
  // "a+" and "b" never match one segment both, so that their order among each other does not show.
  return new RegExp(`^(?:${constraint})$`).test(segment) ? 1 + constraints.indexOf(constraint) : undefined;
}
