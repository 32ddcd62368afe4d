import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { cachedSite, counting } from "../../testing/cached-site.ts";

describe("a stored response", () => {
  test("answers until it is stale, with its age", async () => {
    await using site = await cachedSite(counting());
    const miss = await site.get("/");
    expect(miss).toMatchObject({ text: "answer 1", headers: { "cache-status": "Hemi; fwd=uri-miss; stored" } });
    site.wait(59);
    const hit = await site.get("/");
    expect(hit).toMatchObject({ text: "answer 1", headers: { age: "59", "cache-status": "Hemi; hit; ttl=1" } });
    expect(hit.headers["date"]).toBe("Thu, 01 Jan 2026 00:00:00 GMT");
    site.wait(1);
    expect((await site.get("/")).text).toBe("answer 2");
  });

  test("answers HEAD, conditions and ranges", async () => {
    await using site = await cachedSite(counting({ "cache-control": "max-age=60", etag: '"a"' }));
    await site.get("/");
    expect(await site.ask({ method: "HEAD", url: "http://a.example/" })).toMatchObject({ status: 200, text: "" });
    expect(await site.get("/", { "if-none-match": '"a"' })).toMatchObject({ status: 304, text: "" });
    expect(await site.get("/", { range: "bytes=0-2" })).toMatchObject({ status: 206, text: "ans" });
    expect((await site.get("/", { range: "bytes=99-" })).status).toBe(416);
    expect(site.asked()).toBe(1);
  });

  test("is not for another host, query or variant", async () => {
    await using site = await cachedSite(counting({ "cache-control": "max-age=60", vary: "accept-language" }));
    await site.get("/");
    expect((await site.get("/?a")).text).toBe("answer 2");
    expect((await site.ask({ url: "http://b.example/" })).text).toBe("answer 3");
    const other = await site.get("/", { "accept-language": "de" });
    expect(other).toMatchObject({ text: "answer 4", headers: { "cache-status": "Hemi; fwd=vary-miss; stored" } });
    expect((await site.get("/")).text).toBe("answer 1");
  });

  test("is found without the queries that are ignored", async () => {
    await using site = await cachedSite(counting(), '.ignoreQueries = ("utm_*", "x")');
    await site.get("/?a=1&utm_source=b&x");
    expect((await site.get("/?a=1")).text).toBe("answer 1");
    expect((await site.get("/?a=1&xy=2")).text).toBe("answer 2");
  });

  test("is found by the queries that are kept, in any order", async () => {
    await using site = await cachedSite(counting(), '.keepQueries = ("page", "sort") .sortQueries = true');
    await site.get("/?page=1&sort=a&x=1");
    expect((await site.get("/?x=2&sort=a&page=1")).text).toBe("answer 1");
    expect((await site.get("/?sort=b&page=1")).text).toBe("answer 2");
    await site.get("/?page=1&page=2");
    expect((await site.get("/?page=2&page=1")).text).toBe("answer 4");
  });

  test("is not found with a query that a backend may read as one that counts", async () => {
    await using site = await cachedSite(counting(), '.keepQueries = ("id", "old_*") .ignoreQueries = ("old_x")');
    expect((await site.get("/?x=1&old_x")).text).toBe("answer 1");
    expect((await site.get("/?y")).text).toBe("answer 1");
    const odd = ["/?%69d=5", "/?x=1;id=5", "/?old_x=1;id=5", "/?id[]=5", "/?ID=5", "/?+id=5", "/?OLD_y=5"];
    for (const [i, url] of odd.entries()) expect((await site.get(url)).text, url).toBe(`answer ${2 + i}`);
  });

  test("that came from another cache has an age from the first answer on", async () => {
    await using site = await cachedSite(counting({ "cache-control": "max-age=60", age: "50" }));
    expect((await site.get("/")).headers["age"]).toBe("50");
    site.wait(9);
    expect((await site.get("/")).headers["age"]).toBe("59");
  });

  test("without last-modified answers if-modified-since by its date", async () => {
    await using site = await cachedSite(counting());
    await site.get("/");
    const since = (date: string) => site.get("/", { "if-modified-since": date });
    expect((await since("Thu, 01 Jan 2026 00:00:00 GMT")).status).toBe(304);
    expect((await since("Wed, 31 Dec 2025 23:59:59 GMT")).status).toBe(200);
  });

  test("has no cookie for others, unless that is wanted", async () => {
    const answer = () => counting({ "cache-control": "max-age=60", "set-cookie": "a=b" });
    await using careful = await cachedSite(answer());
    await careful.get("/");
    expect((await careful.get("/")).text).toBe("answer 2");
    await using dropping = await cachedSite(answer(), '.setCookie = "drop"');
    await dropping.get("/");
    expect(await dropping.get("/")).toMatchObject({ text: "answer 1", headers: { "cache-control": "max-age=60" } });
    expect((await dropping.get("/")).headers["set-cookie"]).toBeUndefined();
    await using storing = await cachedSite(answer(), '.setCookie = "store"');
    await storing.get("/");
    expect((await storing.get("/")).headers["set-cookie"]).toBe("a=b");
  });

  test.each(["private", "no-cache"])("with %s=set-cookie has its cookie for the client that asked", async (name) => {
    const fields = { "cache-control": `max-age=60, ${name}="set-cookie"`, "set-cookie": "a=b", "cache-tag": "t" };
    await using site = await cachedSite(counting(fields));
    const clients = await Promise.all([site.get("/"), site.get("/"), site.get("/", { range: "bytes=0-1" })]);
    expect(clients.map(({ headers }) => headers["set-cookie"])).toEqual(["a=b", undefined, undefined]);
    expect(clients.map(({ headers }) => headers["cache-tag"])).toEqual([undefined, undefined, undefined]);
    expect((await site.get("/")).headers["set-cookie"]).toBeUndefined();
    expect(site.asked()).toBe(1);
    await using dropping = await cachedSite(counting(fields), '.setCookie = "drop"');
    expect((await dropping.get("/")).headers["set-cookie"]).toBeUndefined();
  });

  test("is validated when it is stale, and a 304 makes it fresh again", async () => {
    await using site = await cachedSite((req, resp) => {
      resp.setHeader("cache-control", "max-age=60");
      resp.setHeader("etag", '"a"');
      if (req.header("if-none-match") === '"a"') {
        resp.status = 304;
        resp.setHeader("x", "new");
        resp.send();
      } else resp.send("content");
      return true;
    });
    await site.get("/");
    site.wait(60);
    const validated = await site.get("/");
    expect(validated).toMatchObject({ status: 200, text: "content", headers: { x: "new" } });
    expect(validated.headers["cache-status"]).toBe("Hemi; fwd=stale; fwd-status=304");
    site.wait(59);
    expect((await site.get("/")).headers["cache-status"]).toBe("Hemi; hit; ttl=1");
    expect(site.asked()).toBe(2);
  });

  test("of an error status is sent with that status", async () => {
    await using site = await cachedSite((_req, resp) => {
      resp.status = 404;
      resp.send("none");
      return true;
    }, '.statusTtl = ["404": 30s]');
    await site.get("/", { range: "bytes=0-1" });
    expect(await site.get("/", { range: "bytes=0-1" })).toMatchObject({ status: 404, text: "none" });
    expect((await site.get("/")).headers["cache-status"]).toBe("Hemi; hit; ttl=30; detail=ttl");
    expect(site.asked()).toBe(1);
  });

  test("is used while it is validated in the background", async () => {
    await using site = await cachedSite(counting({ "cache-control": "max-age=60, stale-while-revalidate=30" }));
    await site.get("/");
    site.wait(70);
    expect((await site.get("/")).text).toBe("answer 1");
    await setImmediate();
    expect(await site.get("/")).toMatchObject({ text: "answer 2", headers: { "cache-status": "Hemi; hit; ttl=60" } });
  });

  test("is validated when the clock jumps back, and stale when it jumps ahead", async () => {
    await using site = await cachedSite(counting());
    await site.get("/");
    site.wait(-3600);
    expect((await site.get("/")).text).toBe("answer 2");
    expect((await site.get("/")).text).toBe("answer 2");
    site.wait(10 * 365 * 86_400);
    const late = await site.get("/");
    expect(late).toMatchObject({ text: "answer 3", headers: { "cache-status": "Hemi; fwd=stale; stored" } });
  });

  test("replaces the answer of a failing backend, for a time", async () => {
    let fails = false;
    const answer = counting({ "cache-control": "max-age=60" });
    await using site = await cachedSite((req, resp) => {
      if (!fails) return answer(req, resp);
      throw new Error("broken");
    }, ".staleIfError = 1m");
    await site.get("/");
    fails = true;
    site.wait(70);
    const stale = await site.get("/");
    expect(stale).toMatchObject({ status: 200, text: "answer 1" });
    expect(stale.headers["cache-status"]).toBe("Hemi; fwd=stale; fwd-status=500; detail=stale-if-error");
    site.wait(60);
    expect((await site.get("/")).status).toBe(500);
  });
});
