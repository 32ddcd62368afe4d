import { describe, expect, test } from "vitest";
import { prop } from "../../component/prop.ts";
import { cachedSite } from "../../testing/cached-site.ts";
import { defineHandlet } from "../kinds.ts";

test("explainUrl tells what is stored, what decided its freshness, and why nothing is", async () => {
  await using site = await cachedSite((req, resp) => {
    resp.setHeader("cache-control", req.path === "/private" ? "private" : "s-maxage=60");
    resp.send("text");
    return true;
  });
  await site.get("/");
  site.wait(5);
  expect(await site.cache.explainUrl("http://a.example/")).toMatchObject({
    key: "http://a.example/",
    variants: [{ status: 200, size: 4, age: 5000, lifetime: 60_000, lifetimeFrom: "s-maxage", reuse: "fresh" }],
  });
  await site.get("/private");
  expect(await site.cache.explainUrl("http://a.example/private")).toMatchObject({
    variants: [],
    refusal: "the response is private",
  });
});

test("explainUrl finds what is stored by a key of one's own, for the cookies and fields of a request", async () => {
  await using site = await cachedSite((_req, resp) => {
    resp.setHeader("cache-control", "max-age=60");
    resp.send("text");
    return true;
  }, '.key = $authority + $uri + "," + $cookie_lang');
  await site.get("/a%20b?x=1", { cookie: "lang=de" });
  const url = "http://A.example/a%20b?x=1";
  expect(await site.cache.explainUrl(url, { cookie: "lang=de" })).toMatchObject({
    key: "a.example/a%20b?x=1,de",
    variants: [{ size: 4, reuse: "fresh" }],
  });
  expect(await site.cache.explainUrl(url)).toMatchObject({ key: "a.example/a%20b?x=1,", variants: [] });
  await expect(site.cache.explainUrl("http://a.example/../..")).rejects.toThrow("the path of");
});

describe("hemi check", () => {
  test("refuses a key that is the same for all requests, and a ttl for no status", async () => {
    await expect(cachedSite(() => false, '.key = "x"')).rejects.toThrow("the same for all requests");
    await expect(cachedSite(() => false, '.statusTtl = ["abc": 1s]')).rejects.toThrow("is no status");
  });

  test.each([
    [".key = $uri", "the key has no host"],
    [".key = $authority", "the key has no path"],
    [".key = $authority + $path", "the key has the decoded path"],
    [".key = $authority + $encodedPath", "the key has no query"],
    ['.key = $authority + $uri .ignoreQueries = ("a")', "it has no effect"],
  ])("warns of %s: %s", async (settings, message) => {
    await using site = await cachedSite(() => false, settings);
    expect(site.doubts.join("\n")).toContain(message);
  });

  test.each([
    ["", "$cookie_lang", true],
    ["", "$header_x_tenant", true],
    ["", "$uri", false],
    ["", "$scheme", false],
    [".key = $hostname + $uri", "$scheme", true],
    [".key = $scheme + $hostname + $uri", "$scheme", false],
    ["", "$query_page", false],
    ['.ignoreQueries = ("page")', "$query_page", true],
    [".key = $authority + $uri + $cookie_lang", "$cookie_lang", false],
  ])(
    "warns of a handlet behind the cache that uses what the key does not have: %s, %s: %s",
    async (key, used, warns) => {
      const greet = defineHandlet({
        sign: "greet",
        props: { text: prop.template() },
        create: () => ({ handle: () => false }),
      });
      const behind = `greet { .text = ${used} }`;
      await using site = await cachedSite(() => false, key, { behind, definitions: [greet] });
      expect(site.doubts.some((doubt) => doubt.includes(`uses ${used}`))).toBe(warns);
    },
  );

  test("does not warn of what stands before the cache, nor of the default key", async () => {
    await using site = await cachedSite(() => false);
    expect(site.doubts).toEqual([]);
  });
});

test("hemi explain says under which key it would look", async () => {
  await using site = await cachedSite(() => false, '.ignoreQueries = ("x")');
  const explained = await site.stage.explain({ url: `http://a.example:${site.port}/a?x=1&y=2` });
  expect(JSON.stringify(explained)).toContain(`answers with what c has stored for http://a.example:${site.port}/a?y=2`);
  const posted = await site.stage.explain({ method: "POST", url: `http://a.example:${site.port}/` });
  expect(JSON.stringify(posted)).toContain("only GET and HEAD without content");
});
