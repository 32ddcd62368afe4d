import { describe, expect, test } from "vitest";
import { cachedSite, counting } from "../../testing/cached-site.ts";
import { linkedWorkers } from "../../testing/linked-workers.ts";

describe("a purge", () => {
  test("of a URL takes all its variants, also one that is being fetched", async () => {
    const gate = Promise.withResolvers<void>();
    let count = 0;
    await using site = await cachedSite(async (_req, resp) => {
      resp.setHeader("cache-control", "max-age=60");
      resp.setHeader("cache-tag", "t");
      const text = `answer ${++count}`;
      if (count === 1) await gate.promise;
      resp.send(text);
      return true;
    });
    const first = site.get("/");
    await site.cache.purge({ tag: "t" });
    gate.resolve();
    const { text, headers } = await first;
    expect(text).toBe("answer 1");
    expect(headers["cache-tag"]).toBeUndefined();
    expect((await site.get("/")).text).toBe("answer 2");
    expect(await site.cache.purge({ url: "http://a.example/" })).toBe(1);
    expect((await site.get("/")).text).toBe("answer 3");
  });

  test("by URL finds what was stored for a URL with other ignored queries, and for the default port", async () => {
    await using site = await cachedSite(counting(), '.ignoreQueries = ("utm_*")');
    await site.ask({ url: "http://a.example:80/?a=1&utm_source=b" });
    expect((await site.get("/?a=1")).text).toBe("answer 1");
    expect(await site.cache.purge({ url: "http://A.example/?utm_x=1&a=1" })).toBe(1);
    expect((await site.get("/?a=1")).text).toBe("answer 2");
  });

  test.each(["/?q='x'", "/{a}", '/?q="x"', "/?q=<a>|^`", "/a|b'c", "/a//b", "/%7ea", "/.well-known/x"])(
    "and an unsafe method find %s as a client has written it",
    async (path) => {
      await using site = await cachedSite(counting(), '.purgeFrom = ("127.0.0.0/8")');
      const url = `http://a.example${path}`;
      for (const [i, method] of ["POST", "PURGE"].entries()) {
        await site.get(path);
        expect((await site.get(path)).headers["age"], path).toBe("0");
        expect((await site.cache.explainUrl(url)).variants).toHaveLength(1);
        await site.ask({ method, url });
        expect((await site.cache.explainUrl(url)).variants, `${method} ${i}`).toEqual([]);
      }
      await site.get(path);
      expect(await site.cache.purge({ url })).toBe(1);
    },
  );

  test("holds for all workers, by the API, by PURGE and by POST, and for what is being fetched there", async () => {
    const workers = linkedWorkers(2);
    const gate = Promise.withResolvers<void>();
    const answer = counting({ "cache-control": "max-age=60", "cache-tag": "t" });
    const settings = '.purgeFrom = ("127.0.0.0/8")';
    const [one, two] = workers;
    if (one === undefined || two === undefined) throw new Error("two workers are needed");
    await using first = await cachedSite(answer, settings, { workers: one });
    await using second = await cachedSite(
      async (req, resp) => {
        if (req.path === "/slow") await gate.promise;
        return answer(req, resp);
      },
      settings,
      { workers: two },
    );
    const fill = () => second.get("/");
    const isStored = async () => (await second.cache.explainUrl("http://a.example/")).variants.length === 1;
    await fill();
    await first.cache.purge({ tag: "t" }, { isDryRun: true });
    await first.cache.purge({ tag: "t" }, { isHere: true });
    expect(await isStored()).toBe(true);
    await first.cache.purge({ tag: "t" }, { isSoft: true });
    await expect
      .poll(async () => (await second.cache.explainUrl("http://a.example/")).variants[0]?.reuse)
      .toBe("validate");
    for (const method of ["PURGE", "POST"]) {
      await fill();
      await first.ask({ method, url: "http://a.example/" });
      expect(await isStored()).toBe(false);
    }
    const slow = second.get("/slow");
    await first.cache.purge("all");
    gate.resolve();
    await slow;
    expect((await second.cache.explainUrl("http://a.example/slow")).variants).toEqual([]);
  });

  test.each(["url", "prefix", "tag"])(
    "by %s of another cache with the same cacher: no request waits for what was asked before",
    async (by) => {
      const gate = Promise.withResolvers<void>();
      const answer = counting({ "cache-control": "max-age=60", "cache-tag": "t" });
      await using site = await cachedSite(async (req, resp) => {
        if (site.asked() === 1) await gate.promise;
        return answer(req, resp);
      });
      const before = site.get("/");
      await expect.poll(() => site.asked()).toBe(1);
      const url = "http://a.example/";
      await site.cacher.purge(by === "url" ? { url } : by === "tag" ? { tag: "t" } : { prefix: url });
      expect((await site.get("/")).text).toBe("answer 1");
      gate.resolve();
      expect((await before).text).toBe("answer 2");
      expect((await site.get("/")).text).toBe("answer 1");
    },
  );

  test("by PURGE is for the addresses that are named", async () => {
    await using site = await cachedSite(counting(), '.purgeFrom = ("127.0.0.0/8")');
    for (const path of ["/a/1", "/a/2", "/b"]) await site.get(path);
    expect((await site.ask({ method: "PURGE", url: "http://a.example/a/*" })).text).toBe('{"purged":2}');
    expect((await site.get("/b")).text).toBe("answer 3");
    await using closed = await cachedSite(counting(), '.purgeFrom = ("10.0.0.0/8")');
    await closed.get("/");
    expect((await closed.ask({ method: "PURGE", url: "http://a.example/" })).status).toBe(403);
    expect((await closed.get("/")).text).toBe("answer 1");
  });
});
