import { describe, expect, expectTypeOf, test } from "vitest";
import { type Params, parsePattern } from "./pattern.ts";

describe("parsePattern", () => {
  test("tells static text, params and the wildcard apart", () => {
    expect(parsePattern("/users/:id/files/*rest")).toEqual({
      text: "/users/:id/files/*rest",
      parts: [
        { type: "static", text: "/users/" },
        { type: "param", constraint: undefined },
        { type: "static", text: "/files/" },
        { type: "wildcard" },
      ],
      names: ["id", "rest"],
      shape: "/users/:/files/*",
    });
    expect(parsePattern("/a//b/")).toMatchObject({
      parts: [{ type: "static", text: "/a//b/" }],
      names: [],
      shape: "/a//b/",
    });
    expect(parsePattern("/*").names).toEqual(["*"]);
    expect(parsePattern("/:a/:b").shape).toBe("/:/:");
  });

  test("binds a constraint to the whole segment", () => {
    const [, param] = parsePattern("/:id(a|b)").parts;
    expect(param).toMatchObject({ type: "param", constraint: /^(?:a|b)$/u });
    expect(parsePattern("/:id((?:x)*)/y").names).toEqual(["id"]);
  });

  test.each([
    ["", /must begin with/],
    ["users", /must begin with/],
    ["*", /must begin with/],
    ["/a*", /beginning of the last segment/],
    ["/*/a", /whole last segment/],
    ["/*a-b", /whole last segment/],
    ["/:", /is no param/],
    ["/:id?", /is no param/],
    ["/:id.json", /is no param/],
    ["/:id(", /is no param/],
    ["/:id()x", /is no param/],
    ["/:1", /is no param/],
    ["/:__proto__", /is no param/],
    ["/:id([)", /is no regular expression/],
    ["/:id/:id", /named "id"/],
    ["/:id/*id", /named "id"/],
    ["/a/../b", /dot segment/],
    ["/.", /dot segment/],
  ])("refuses %j", (text, reason) => {
    expect(() => parsePattern(text)).toThrow(reason);
    expect(() => parsePattern(text)).toThrow(expect.objectContaining({ code: "HEMI_USAGE" }));
  });
});

test("Params has the names of a literal pattern", () => {
  expectTypeOf<Params<"/users/:id">>().toEqualTypeOf<{ readonly id: string }>();
  expectTypeOf<Params<"/users/:id(\\d+)/posts/:post/*rest">>().toEqualTypeOf<{
    readonly id: string;
    readonly post: string;
    readonly rest: string;
  }>();
  expectTypeOf<Params<"/files/*">>().toEqualTypeOf<{ readonly "*": string }>();
  expectTypeOf<keyof Params<"/users/me">>().toEqualTypeOf<never>();
  expectTypeOf<Params<string>>().toEqualTypeOf<Readonly<Record<string, string>>>();
});
