import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ListedFields } from "../../../http/fields.ts";
import { fieldNamesIn, parseDirectives, secondsIn } from "./directives.ts";
import { explicitLifetime, heuristicLifetime, hasInvalidAge, initialAge } from "./freshness.ts";
import { invalidatedUrls, isSafe } from "./invalidating.ts";
import { ageAt, decideReuse, mayReplaceFailure, type StoredTimes } from "./reuse.ts";
import { storedFields, updatedFields } from "./stored-fields.ts";
import { conditionFields, confirms } from "./validating.ts";
import { matchesVariant, varyNames, variantOf } from "./vary.ts";

const now = Date.parse("Sun, 06 Nov 1994 08:49:37 GMT");
const date = "Sun, 06 Nov 1994 08:49:37 GMT";
const times = { requestTime: now, responseTime: now };
const fields = (...list: string[]) => new ListedFields(list);

describe("RFC 9111 5.2: directives", () => {
  test("are names without regard to case, with tokens or quoted arguments, which may contain commas", () => {
    const directives = parseDirectives('Max-Age=5, PRIVATE="a, b" ,, no-store,x="\\"y\\""');
    expect([...directives]).toEqual([
      ["max-age", "5"],
      ["private", "a, b"],
      ["no-store", ""],
      ["x", '"y"'],
    ]);
    expect(fieldNamesIn(directives, "private")).toEqual(["a", "b"]);
  });

  test.each([
    ['private="a", private', "private", "", []],
    ['private, private="a"', "private", "", []],
    ['no-cache="a", no-cache="b, c"', "no-cache", "a,b, c", ["a", "b", "c"]],
    ['private=""', "private", "", []],
    ['private="set-cookie', "private", "", []],
    ["no-cache=a/b", "no-cache", "", []],
  ])("of %s, each narrows, and what names no fields is about all", (field, name, argument, names) => {
    const directives = parseDirectives(field);
    expect(directives.get(name)).toBe(argument);
    expect(fieldNamesIn(directives, name)).toEqual(names);
  });

  test("of a repeated one, the first counts", () => {
    expect(secondsIn(parseDirectives("max-age=1, max-age=100"), "max-age")).toBe(1);
  });

  test.each(["-1", "1.5", "abc", "", "5a", "1 2"])("max-age=%s makes a response stale", (argument) => {
    expect(secondsIn(parseDirectives(`max-age=${argument}`), "max-age")).toBe(0);
  });

  test("seconds may be quoted, have leading zeros, and are at most 2^31", () => {
    expect(secondsIn(parseDirectives('max-age="60"'), "max-age")).toBe(60);
    expect(secondsIn(parseDirectives("max-age=0060"), "max-age")).toBe(60);
    expect(secondsIn(parseDirectives("max-age=99999999999999999999"), "max-age")).toBe(2_147_483_648);
  });

  test("no-store is found behind any malformed text without quotes", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('"')),
        (text) => parseDirectives(`${text}, no-store`).has("no-store"),
      ),
    );
  });

  test("a long malformed field is parsed in linear time", () => {
    for (const hostile of ['="', ", =", '="\\', "a ", "\t,"]) parseDirectives(hostile.repeat(20_000));
  });
});

describe("RFC 9111 4.2.1: freshness lifetime", () => {
  const lifetime = (control: string, ...list: string[]) =>
    explicitLifetime(parseDirectives(control), fields("date", date, ...list), times);

  test("s-maxage wins over max-age, which wins over expires", () => {
    const expires = ["expires", "Sun, 06 Nov 1994 08:49:40 GMT"];
    expect(lifetime("max-age=2, s-maxage=1", ...expires)).toEqual({ lifetime: 1000, from: "s-maxage" });
    expect(lifetime("max-age=2", ...expires)).toEqual({ lifetime: 2000, from: "max-age" });
    expect(lifetime("", ...expires)).toEqual({ lifetime: 3000, from: "expires" });
    expect(lifetime("public")).toBeUndefined();
  });

  test.each(["0", "-1", "soon", "Sun, 06 Nov 1994 08:49:40 CET", "06 Nov 1994", "Thu, 32 Nov 1994 08:49:40 GMT"])(
    "expires: %s is in the past",
    (expires) => {
      expect(lifetime("", "expires", expires)).toEqual({ lifetime: 0, from: "expires" });
    },
  );

  test("two expires fields are no date", () => {
    const twice = ["expires", "Sun, 06 Nov 1994 08:49:40 GMT", "expires", "Sun, 06 Nov 1994 08:49:41 GMT"];
    expect(lifetime("", ...twice)).toEqual({ lifetime: 0, from: "expires" });
  });

  test("without a valid date, expires counts from the arrival", () => {
    const expires = fields("date", "x", "expires", "Sun, 06 Nov 1994 08:49:40 GMT");
    expect(explicitLifetime(parseDirectives(""), expires, times)?.lifetime).toBe(3000);
  });

  test("a guess is a part of the time since the last modification, with a limit, and off by default", () => {
    const modified = fields("date", date, "last-modified", "Sun, 06 Nov 1994 08:49:27 GMT");
    const guess = (status: number, fraction: number, max = 9000) =>
      heuristicLifetime(status, parseDirectives(""), modified, times, { fraction, max })?.lifetime;
    expect(guess(200, 0.1)).toBe(1000);
    expect(guess(200, 0.5, 3000)).toBe(3000);
    expect(guess(200, 0)).toBeUndefined();
    expect(guess(302, 0.1)).toBeUndefined();
  });
});

describe("RFC 9111 4.2.3: age", () => {
  test("is the larger of what the date says and what the age field says with the delay", () => {
    const late = { requestTime: now + 5000, responseTime: now + 7000 };
    expect(initialAge(fields("date", date), late)).toBe(7000);
    expect(initialAge(fields("date", date, "age", "20"), late)).toBe(22_000);
  });

  test.each([
    ["-5", 0],
    ["5a", 0],
    ["5,7", 5000],
    ["5, 7", 0],
    ["99999999999", 2_147_483_648_000],
  ])("an age field of %s counts %i ms", (age, expected) => {
    expect(initialAge(fields("date", date, "age", age), times)).toBe(expected);
  });

  test.each([
    ["0", false],
    ["5,7", false],
    ["-5", true],
    ["5.0", true],
    ["five", true],
    ["5;a=1", true],
    ["", true],
  ])("an age field of %j is invalid: %s", (age, isInvalid) => {
    expect(hasInvalidAge(fields("age", age))).toBe(isInvalid);
  });

  test("two age fields are invalid, and no age field is not", () => {
    expect(hasInvalidAge(fields("age", "0", "age", "0"))).toBe(true);
    expect(hasInvalidAge(fields())).toBe(false);
  });

  test("a date in the future makes nothing younger than new", () => {
    expect(initialAge(fields("date", "Mon, 07 Nov 1994 08:49:37 GMT"), times)).toBe(0);
  });
});

describe("RFC 9111 3.1: stored fields", () => {
  test("leave out what is for one hop, for one client, or computed", () => {
    const received = ["age", "5", "etag", '"a"', "set-cookie", "a=b", "connection", "x", "cache-tag", "t"];
    const directives = parseDirectives('private="set-cookie"');
    expect(storedFields(received, directives, new Set(["cache-tag"]))).toEqual(["etag", '"a"']);
  });

  test("RFC 9111 3.2: a 304 updates fields, but not those about the stored bytes", () => {
    const stored = ["content-type", "text/plain", "etag", '"a"', "x", "1", "x", "2"];
    const received = ["content-type", "text/html", "x", "3", "date", date, "content-length", "0"];
    const updated = ["etag", '"a"', "content-type", "text/html", "x", "3", "date", date];
    expect(updatedFields(stored, received)).toEqual(updated);
    const ofContent = ["content-encoding", "gzip", "content-range", "bytes 0-1/2", "content-length", "9"];
    expect(updatedFields(stored, [...ofContent, "etag", 'W/"a"'])).toEqual(stored);
  });
});

describe("RFC 9111 4: reuse", () => {
  const stored: StoredTimes = {
    lifetime: 10_000,
    lifetimeFrom: "max-age",
    initialAge: 1000,
    noCache: false,
    mustRevalidate: false,
    isImmutable: false,
    staleWhileRevalidate: 0,
    staleIfError: 0,
    storedAt: now,
    isOutdated: false,
  };
  const reuse = (seconds: number, wishes = "", more: Partial<StoredTimes> = {}) =>
    decideReuse({ ...stored, ...more }, parseDirectives(wishes), now + seconds * 1000);

  test("it is fresh while its age is less than its lifetime", () => {
    expect(ageAt(stored, now + 5000)).toBe(6000);
    expect(reuse(8.9)).toBe("fresh");
    expect(reuse(9)).toBe("validate");
  });

  test("the client's directives narrow and widen that", () => {
    expect(reuse(1, "no-cache")).toBe("validate");
    expect(reuse(1, "max-age=1")).toBe("validate");
    expect(reuse(1, "max-age=2")).toBe("fresh");
    expect(reuse(1, "min-fresh=9")).toBe("validate");
    expect(reuse(20, "max-stale")).toBe("stale");
    expect(reuse(20, "max-stale=11")).toBe("stale");
    expect(reuse(20, "max-stale=10")).toBe("validate");
    expect(reuse(20, "max-stale=x")).toBe("validate");
  });

  test("nothing is used against no-cache, must-revalidate or a soft purge", () => {
    expect(reuse(1, "", { noCache: true })).toBe("validate");
    expect(reuse(1, "", { isOutdated: true })).toBe("validate");
    expect(reuse(20, "max-stale", { mustRevalidate: true, staleWhileRevalidate: 99_000 })).toBe("validate");
  });

  test("RFC 9111 5.2.1.3: who wants it fresh for some time gets nothing that is not, whatever else allows it", () => {
    expect(reuse(5, "min-fresh=3", { staleWhileRevalidate: 60_000 })).toBe("fresh");
    expect(reuse(5, "min-fresh=5", { staleWhileRevalidate: 60_000 })).toBe("validate");
    expect(reuse(5, "min-fresh=5, max-stale")).toBe("validate");
  });

  test("RFC 8246 2: what is immutable is not validated for a reload while it is fresh", () => {
    expect(reuse(5, "max-age=0", { isImmutable: true })).toBe("fresh");
    expect(reuse(5, "no-cache", { isImmutable: true })).toBe("validate");
    expect(reuse(10, "max-age=0", { isImmutable: true })).toBe("validate");
    expect(reuse(5, "max-age=0")).toBe("validate");
  });

  test("RFC 5861 3: it is used while it is validated, for a time", () => {
    expect(reuse(10, "", { staleWhileRevalidate: 2000 })).toBe("revalidating");
    expect(reuse(11, "", { staleWhileRevalidate: 2000 })).toBe("validate");
  });

  test("RFC 5861 4: it stands in for a failing backend, for a time", () => {
    const may = (seconds: number, wishes = "", more: Partial<StoredTimes> = {}) =>
      mayReplaceFailure({ ...stored, staleIfError: 5000, ...more }, parseDirectives(wishes), now + seconds * 1000);
    expect(may(13)).toBe(true);
    expect(may(14)).toBe(false);
    expect(may(13, "stale-if-error=1")).toBe(false);
    expect(may(13, "", { mustRevalidate: true })).toBe(false);
  });

  test("a clock that was put back makes it unsure", () => {
    expect(reuse(-0.5)).toBe("fresh");
    expect(reuse(-60)).toBe("validate");
  });
});

describe("RFC 9111 4.1: variants", () => {
  test("are selected by the fields that vary names, in normal form", () => {
    const names = varyNames(fields("vary", "Accept-Encoding,  X-A, x-a"));
    expect(names).toEqual(["accept-encoding", "x-a"]);
    const variant = variantOf(names === "any" ? [] : names, fields("accept-encoding", "br, gzip;q=0.50", "x-a", "1,2"));
    expect(matchesVariant(variant, fields("accept-encoding", "GZIP; q=0.5,br", "x-a", "1 , 2"))).toBe(true);
    expect(matchesVariant(variant, fields("accept-encoding", "br", "x-a", "1,2"))).toBe(false);
    expect(matchesVariant(variant, fields("accept-encoding", "br, gzip;q=0.5"))).toBe(false);
  });

  test("an empty field and a missing one are two variants, and so are texts that differ in case", () => {
    expect(matchesVariant(variantOf(["x"], fields()), fields("x", ""))).toBe(false);
    expect(matchesVariant(variantOf(["x"], fields("x", "A")), fields("x", "a"))).toBe(false);
  });
});

describe("RFC 9111 4.3: validation", () => {
  test("asks with all validators", () => {
    expect(conditionFields(fields("etag", 'W/"a"', "last-modified", date))).toEqual([
      "if-none-match",
      'W/"a"',
      "if-modified-since",
      date,
    ]);
    expect(conditionFields(fields())).toEqual([]);
  });

  test("a 304 about another response confirms nothing", () => {
    expect(confirms(fields("etag", '"a"'), fields("etag", 'W/"a"'))).toBe(true);
    expect(confirms(fields("etag", '"b"'), fields("etag", '"a"'))).toBe(false);
    expect(confirms(fields("last-modified", date), fields("etag", '"a"'))).toBe(false);
    expect(confirms(fields(), fields("etag", '"a"'))).toBe(true);
  });
});

describe("RFC 9111 4.4: invalidation", () => {
  test("reaches the URL and those of its origin that the response names", () => {
    const named = fields("location", "/new#x", "content-location", "http://other.example/");
    expect(invalidatedUrls("http://a.example/b", 201, named)).toEqual(["http://a.example/b", "http://a.example/new"]);
    expect(invalidatedUrls("http://a.example/b", 404, named)).toEqual([]);
  });

  test("unknown methods are unsafe", () => {
    expect(["GET", "HEAD", "OPTIONS", "POST", "BREW", "get"].map(isSafe)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
