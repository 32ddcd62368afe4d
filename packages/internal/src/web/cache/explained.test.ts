// What explainUrl says is what a request then gets.

import fc from "fast-check";
import { expect, test } from "vitest";
import { cachedSite } from "../../testing/cached-site.ts";
import type { WobjectDescription } from "./managed-cache.ts";

const directive = fc.constantFrom(
  ...["max-age=60", "max-age=0", "s-maxage=30", "no-cache", "no-store", "private", "must-revalidate", "public"],
  ...["stale-while-revalidate=40", "stale-if-error=40", "immutable", 'private="x"', "max-age=x", "must-understand"],
);
const languages = ["de", "en", undefined] as const;
const exchange = fc.record({
  control: fc.array(directive, { maxLength: 3 }).map((list) => list.join(", ")),
  age: fc.option(fc.constantFrom("0", "20", "x", "1, 2"), { nil: undefined }),
  hasVary: fc.boolean(),
  hasEtag: fc.boolean(),
  status: fc.constantFrom(200, 404, 302, 299),
  isPurged: fc.boolean(),
  seconds: fc.constantFrom(0, 10, 29, 31, 59, 61, 75, 110),
  languages: fc.tuple(fc.constantFrom(...languages), fc.constantFrom(...languages)),
});

function accepting(language: string | undefined): Record<string, string> {
  return language === undefined ? {} : { "accept-language": language };
}

/** The member of `cache-status` that a request without directives is to get. */
function expected(variants: readonly WobjectDescription[], language: string | undefined): RegExp {
  const form = language === undefined ? "" : `=${language}`;
  const found = variants.find(({ variant }) => variant.length === 0 || variant[1] === form);
  if (found === undefined) return variants.length === 0 ? /fwd=uri-miss/ : /fwd=vary-miss/;
  if (found.reuse === "validate") return /fwd=stale/;
  return new RegExp(`Hemi; hit; ttl=${Math.floor((found.lifetime - found.age) / 1000)}$`);
}

test("what explainUrl says of a URL is what the next request for it gets", async () => {
  let fields: Record<string, string> = {};
  let status = 200;
  await using site = await cachedSite((req, resp) => {
    const { etag } = fields;
    for (const [name, value] of Object.entries(fields)) resp.setHeader(name, value);
    resp.status = etag !== undefined && req.header("if-none-match") === etag ? 304 : status;
    resp.send(resp.status === 304 ? undefined : "content");
    return true;
  }, ".revalidationJitter = 0s .passTime = 0s");
  let number = 0;
  await fc.assert(
    fc.asyncProperty(exchange, async ({ control, age, hasVary, hasEtag, isPurged, seconds, languages, ...more }) => {
      const path = `/${number++}`;
      const url = `http://a.example${path}`;
      status = more.status;
      fields = { "cache-control": control };
      if (age !== undefined) fields["age"] = age;
      if (hasVary) fields["vary"] = "accept-language";
      if (hasEtag) fields["etag"] = '"a"';
      const [first, second] = languages;
      await site.get(path, accepting(first));
      const before = await site.cache.explainUrl(url);
      expect(before.refusal === undefined).toBe(before.variants.length === 1);
      if (isPurged) await site.cache.purge({ url }, { isSoft: true });
      site.wait(seconds);
      const { variants } = await site.cache.explainUrl(url);
      const { headers } = await site.get(path, accepting(second));
      expect(headers["cache-status"]).toMatch(expected(variants, second));
    }),
    { numRuns: 500 },
  );
});
