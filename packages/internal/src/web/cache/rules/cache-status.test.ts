// The field `cache-status` (RFC 9211).

import { expect, test } from "vitest";
import { cacheStatusMember, cacheStatusWord, type ForwardReason } from "./cache-status.ts";

test("says what happened", () => {
  expect(cacheStatusMember("Hemi", { isHit: true, ttl: 5900 })).toBe("Hemi; hit; ttl=5");
  expect(cacheStatusMember("my cache", { forward: "stale", forwardStatus: 304, isCollapsed: true })).toBe(
    '"my cache"; fwd=stale; fwd-status=304; collapsed',
  );
});

test("RFC 9211 2.6: it says whether a request that has waited for another one got its answer", () => {
  const memberOf = (isCollapsed: boolean | undefined) => cacheStatusMember("a", { forward: "uri-miss", isCollapsed });
  expect(memberOf(true)).toBe("a; fwd=uri-miss; collapsed");
  expect(memberOf(false)).toBe("a; fwd=uri-miss; collapsed=?0");
  expect(memberOf(undefined)).toBe("a; fwd=uri-miss");
});

test("RFC 9211 2: names are tokens or strings, and what is no token is quoted", () => {
  const nameOf = (name: string) => cacheStatusMember(name, { isHit: true }).replace(/; hit$/, "");
  expect(nameOf("cdn.example:8080/a")).toBe("cdn.example:8080/a");
  expect(nameOf("9to5")).toBe('"9to5"');
  expect(nameOf('a "b" \\ c')).toBe('"a \\"b\\" \\\\ c"');
  expect(nameOf("a; hit")).toBe('"a; hit"');
});

test("RFC 9211 2.4: the remaining freshness is an integer, and negative for a stale response", () => {
  expect(cacheStatusMember("a", { isHit: true, ttl: -376_000 })).toBe("a; hit; ttl=-376");
  expect(cacheStatusMember("a", { isHit: true, ttl: -1 })).toBe("a; hit; ttl=-1");
});

test("for logs, it is one word", () => {
  const reasons: readonly ForwardReason[] = ["bypass", "method", "uri-miss", "vary-miss", "request", "stale"];
  expect(reasons.map((forward) => cacheStatusWord({ forward }))).toEqual(reasons);
  expect(cacheStatusWord({ isHit: true })).toBe("hit");
});
