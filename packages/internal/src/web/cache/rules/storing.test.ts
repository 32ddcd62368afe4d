// Whether a response is stored, and for how long it may be used (RFC 9111 sections 3 and 4.2, RFC 5861, RFC 9213).

import { describe, expect, test } from "vitest";
import { ListedFields } from "../../../http/fields.ts";
import { parseDirectives } from "./directives.ts";
import { judgeStorage, type StoragePolicy } from "./storing.ts";

const now = Date.parse("Sun, 06 Nov 1994 08:49:37 GMT");
const date = "Sun, 06 Nov 1994 08:49:37 GMT";
const times = { requestTime: now, responseTime: now };
const fields = (...list: string[]) => new ListedFields(list);
const policy: StoragePolicy = {
  targets: ["cdn-cache-control"],
  heuristic: { fraction: 0, max: 0 },
  ttlOf: () => undefined,
  allowsCookies: false,
  staleIfError: 0,
  staleWhileRevalidate: 0,
};

describe("RFC 9111 3: storing", () => {
  const judge = (
    control: string,
    {
      method = "GET",
      wishes = "",
      hasAuthorization = false,
      status = 200,
      more = [],
      by = policy,
    }: {
      method?: string;
      wishes?: string;
      hasAuthorization?: boolean;
      status?: number;
      more?: string[];
      by?: StoragePolicy;
    } = {},
  ) => {
    const response = {
      status,
      fields: fields("date", date, ...(control === "" ? [] : ["cache-control", control]), ...more),
    };
    const verdict = judgeStorage(
      { method, directives: parseDirectives(wishes), hasAuthorization },
      response,
      times,
      by,
    );
    return "refusal" in verdict ? verdict.refusal : verdict.usability;
  };

  test.each([
    ["max-age=10, no-store", {}, "no-store"],
    ["max-age=10, private", {}, "private"],
    ["max-age=10", { method: "POST" }, "method"],
    ["max-age=10", { method: "HEAD" }, "method"],
    ["max-age=10", { wishes: "no-store" }, "request has no-store"],
    ["max-age=10", { status: 206 }, "206"],
    ["max-age=10", { hasAuthorization: true }, "authorization"],
    ["max-age=10", { more: ["set-cookie", "a=b"] }, "set-cookie"],
    ['max-age=10, private="set-cookie2"', { more: ["set-cookie", "a=b"] }, "set-cookie"],
    ['max-age=10, private="set-cookie', { more: ["set-cookie", "a=b"] }, "private"],
    ['max-age=10, private="x", private', {}, "private"],
    ["max-age=10", { more: ["vary", "accept, *"] }, "vary"],
    ["max-age=10", { more: ["vary", Array.from({ length: 30 }, (_, i) => `x-${i}`).join()] }, "vary"],
    ["max-age=10, must-understand", { status: 299 }, "must-understand"],
    ["max-age=0", {}, "never fresh"],
    ["", {}, "never fresh"],
    ["", { status: 302, more: ["etag", '"a"'] }, "says nothing"],
  ])("%s with %j is not stored", (control, options, reason) => {
    expect(judge(control, options)).toContain(reason);
  });

  test("a response with an invalid age is never fresh", () => {
    const more = ["age", "x", "etag", '"a"'];
    expect(judge("max-age=10", { more })).toMatchObject({ lifetime: 0, lifetimeFrom: "age", initialAge: 0 });
  });

  test.each([
    ["max-age=10", {}],
    ["max-age=10", { status: 302 }],
    ["max-age=10", { status: 599 }],
    ["no-store, must-understand, max-age=10", {}],
    ["max-age=10, public", { hasAuthorization: true }],
    ["s-maxage=10", { hasAuthorization: true }],
    ["max-age=10, must-revalidate", { hasAuthorization: true }],
    ['max-age=10, private="set-cookie"', { more: ["set-cookie", "a=b"] }],
    ['max-age=10, no-cache="set-cookie"', { more: ["set-cookie", "a=b"] }],
    ["max-age=10", { more: ["set-cookie", "a=b"], by: { ...policy, allowsCookies: true } }],
    ["", { more: ["etag", '"a"'] }],
    ["no-cache", { more: ["etag", '"a"'] }],
  ])("%s with %j is stored", (control, options) => {
    expect(judge(control, options)).toBeTypeOf("object");
  });

  test("a backend that says nothing is cached for the time that the configuration wishes", () => {
    const by: StoragePolicy = { ...policy, ttlOf: (status) => (status === 404 ? 2000 : undefined) };
    expect(judge("", { status: 404, by })).toMatchObject({ lifetime: 2000, lifetimeFrom: "ttl" });
    expect(judge("max-age=1", { status: 404, by })).toMatchObject({ lifetime: 1000, lifetimeFrom: "max-age" });
    expect(judge("no-cache", { status: 404, by })).toContain("never fresh");
  });

  test("RFC 9111 4.2.2: nothing is guessed where something is said, and only public allows it for any status", () => {
    const modified = ["last-modified", "Sun, 06 Nov 1994 08:49:27 GMT"];
    const by: StoragePolicy = { ...policy, heuristic: { fraction: 0.1, max: 60_000 } };
    expect(judge("", { more: modified, by })).toMatchObject({ lifetime: 1000, lifetimeFrom: "heuristic" });
    expect(judge("max-age=0", { more: modified, by })).toMatchObject({ lifetime: 0, lifetimeFrom: "max-age" });
    expect(judge("", { more: [...modified, "expires", "0"], by })).toMatchObject({ lifetimeFrom: "expires" });
    expect(judge("", { status: 302, more: modified, by })).toContain("says nothing");
    expect(judge("public", { status: 302, more: modified, by })).toMatchObject({ lifetimeFrom: "heuristic" });
  });

  test.each(["must-revalidate", "proxy-revalidate", "s-maxage=10"])(
    "RFC 9111 5.2.2: %s forbids to use it when it is stale",
    (directive) => {
      expect(judge(`max-age=10, ${directive}`)).toMatchObject({ mustRevalidate: true });
      expect(judge("max-age=10, public, immutable")).toMatchObject({ mustRevalidate: false });
    },
  );

  test("RFC 9111 4.2.1: of directives that conflict, the most restrictive one counts", () => {
    const more = ["etag", '"a"'];
    expect(judge("max-age=10, no-cache", { more })).toMatchObject({ noCache: true });
    expect(judge("public, no-store, max-age=10")).toContain("no-store");
    expect(judge("public, private, max-age=10")).toContain("private");
  });

  test("RFC 9111 5.2.3: unknown directives change nothing", () => {
    expect(judge('max-age=10, community="UCI", x')).toMatchObject({ lifetime: 10_000, noCache: false });
  });

  test("RFC 5861: the times of a response win over those of the configuration", () => {
    const by: StoragePolicy = { ...policy, staleIfError: 1000, staleWhileRevalidate: 2000 };
    expect(judge("max-age=10", { by })).toMatchObject({ staleIfError: 1000, staleWhileRevalidate: 2000 });
    const said = "max-age=10, stale-if-error=5, stale-while-revalidate=0";
    expect(judge(said, { by })).toMatchObject({ staleIfError: 5000, staleWhileRevalidate: 0 });
    expect(judge("max-age=10, stale-if-error=x", { by })).toMatchObject({ staleIfError: 0 });
  });

  test("RFC 9213: a targeted field that says nothing of use takes the place of all others, too", () => {
    const more = ["expires", "Mon, 07 Nov 1994 08:49:37 GMT", "cdn-cache-control", "unknown"];
    expect(judge("max-age=5", { more })).toContain("never fresh");
    expect(judge("max-age=5", { more: [...more, "etag", '"a"'] })).toMatchObject({ lifetime: 0, lifetimeFrom: "none" });
  });

  test("RFC 9213 2.2: all directives that a cache must know count in a targeted field", () => {
    const targeted = (value: string) => judge("max-age=5", { more: ["cdn-cache-control", value, "etag", '"a"'] });
    expect(targeted("max-age=7")).toMatchObject({ lifetime: 7000 });
    expect(targeted("max-age=7, must-revalidate")).toMatchObject({ mustRevalidate: true });
    expect(targeted("max-age=7, no-cache")).toMatchObject({ noCache: true });
    expect(targeted("max-age=7, no-store")).toContain("no-store");
    expect(targeted("max-age=7, private")).toContain("private");
    expect(targeted("max-age=-7")).toMatchObject({ lifetime: 0, lifetimeFrom: "max-age" });
  });

  test("RFC 9213: a targeted field takes the place of cache-control and expires", () => {
    expect(judge("no-store", { more: ["cdn-cache-control", "max-age=5"] })).toMatchObject({ lifetime: 5000 });
    expect(judge("max-age=5", { more: ["cdn-cache-control", "private"] })).toContain("private");
    expect(judge("max-age=5", { more: ["cdn-cache-control", "not; a dictionary ="] })).toMatchObject({
      lifetime: 5000,
    });
    expect(judge("max-age=5", { more: ["cdn-cache-control", ""] })).toMatchObject({ lifetime: 5000 });
  });
});
