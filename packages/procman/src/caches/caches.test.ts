import { expect, test } from "vitest";
import { readCommandLine } from "../command-line.ts";
import { cache, purgeOrder } from "../commands/cache.ts";
import { readCachedUrl, readPurgeOrder, sumOfPurges } from "./cache-actions.ts";
import { explainedText } from "./cache-text.ts";

function ordered(args: string) {
  const { rest, purge } = readCommandLine(["cache", ...args.split(" ")]);
  return purgeOrder(rest.slice(1), purge);
}

test("cache purge takes URLs, prefixes and tags, several at once", () => {
  expect(ordered("purge --soft http://a.example/1 --tag x --tag y --prefix http://a.example/i")).toEqual({
    selectors: [{ url: "http://a.example/1" }, { prefix: "http://a.example/i" }, { tag: "x" }, { tag: "y" }],
    isSoft: true,
    isDryRun: false,
  });
  expect(ordered("purge --all --dry-run")).toEqual({ selectors: ["all"], isSoft: false, isDryRun: true });
});

test.each([
  ["purge", "takes URLs, --prefix or --tag; or --all"],
  ["purge --all http://a.example/", "and nothing beside it"],
  ["purge /a", "selects nothing: a URL and a prefix begin with http"],
  ["purge --prefix shop", "selects nothing"],
])("cache %s is refused, with what to do", (args, message) => {
  expect(() => ordered(args)).toThrow(message);
});

test.each([
  ["purge -H cookie:a=1 http://a.example/", "always takes all variants"],
  ["explain --soft http://a.example/", "for cache purge"],
  ["explain --tag x http://a.example/", "for cache purge"],
])("cache %s is refused, because an option would have no effect", async (args, message) => {
  await expect(cache(readCommandLine(["cache", ...args.split(" ")]))).rejects.toThrow(message);
});

test.each([
  [undefined],
  [{}],
  [{ selectors: [] }],
  [{ selectors: ["all"], isSoft: 1 }],
  [{ selectors: [{ tag: "" }] }],
])("a client of the control socket cannot order a purge by %j", (params) => {
  expect(() => readPurgeOrder(params)).toThrow();
  expect(() => readCachedUrl(params)).toThrow("a URL begins with http");
});

test("what workers have in common is counted once, and what each of them has is added up", () => {
  const purge = (count: number) => [
    { cacher: "mem", isShared: false, count },
    { cacher: "disk", isShared: true, count },
  ];
  expect(sumOfPurges([purge(1), purge(2)])).toEqual({
    count: 5,
    cachers: [
      { cacher: "mem", count: 3 },
      { cacher: "disk", count: 2 },
    ],
  });
});

test("explain shows the arithmetic of freshness, and why a response was not stored", () => {
  const cache = { cache: "webapp.a/rule/cache", cacher: "mem", key: "http://a.example/" };
  const wobject = {
    key: cache.key,
    status: 200,
    size: 5,
    variant: ["accept-language", "=de", "x", ""],
    tags: ["t"],
    storedAt: 0,
    initialAge: 10_000,
    age: 15_000,
    lifetime: 12_000,
    lifetimeFrom: "s-maxage",
    reuse: "validate",
  } as const;
  const text = explainedText("http://a.example/", [
    { slot: 0, caches: [{ ...cache, variants: [wobject], refusal: undefined }] },
    { slot: 1, caches: [{ ...cache, variants: [], refusal: "the response is private" }] },
  ]);
  expect(text).toBe(`http://a.example/
webapp.a/rule/cache, stored by mem
  key       http://a.example/
  worker 0  status 200, 5 bytes, stored at 1970-01-01T00:00:00.000Z
    for     accept-language: de, x: (none)
    tags    t
    age     15 s = 10 s when it came + 5 s here
    fresh   for 12 s, by s-maxage of the response; stale since 3 s
    a request without directives gets it if the backend confirms it, or fails and stale-if-error allows it
  worker 1  the last response was not stored: the response is private
`);
});
