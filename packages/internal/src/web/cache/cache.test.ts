import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { prop } from "../../component/prop.ts";
import { cachedSite } from "../../testing/cached-site.ts";
import { linkedWorkers } from "../../testing/linked-workers.ts";
import { HTTPError } from "../http-error.ts";
import { defineHandlet, defineReviser } from "../kinds.ts";
import type { Response } from "../response/response.ts";

/** Answers with a counter, cacheable for a minute. */
function counting(fields: Readonly<Record<string, string>> = { "cache-control": "max-age=60" }) {
  let count = 0;
  return (_req: unknown, resp: Response): true => {
    for (const [name, value] of Object.entries(fields)) resp.setHeader(name, value);
    resp.send(`answer ${++count}`);
    return true;
  };
}

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

describe("requests", () => {
  test("with only-if-cached get 504 for what is not stored", async () => {
    await using site = await cachedSite(counting());
    expect((await site.get("/", { "cache-control": "only-if-cached" })).status).toBe(504);
    expect(site.asked()).toBe(0);
  });

  test("with no-cache reach the backend, unless that is ignored", async () => {
    await using site = await cachedSite(counting());
    await site.get("/");
    expect((await site.get("/", { "cache-control": "no-cache" })).text).toBe("answer 2");
    expect((await site.get("/", { pragma: "no-cache" })).text).toBe("answer 3");
    await using strict = await cachedSite(counting(), ".ignoreRequestDirectives = true");
    await strict.get("/");
    expect((await strict.get("/", { "cache-control": "no-cache" })).text).toBe("answer 1");
  });

  test("with content pass by the cache, as a fat GET would poison it", async () => {
    await using site = await cachedSite(counting());
    await site.ask({ url: "http://a.example/", content: "poison" });
    expect((await site.get("/")).text).toBe("answer 2");
  });

  test("reach handlets behind without fields that override their target, which no key has", async () => {
    const override = { "x-original-url": "/admin", "x-http-method-override": "POST", "x-host": "evil.example" };
    const answer = (req: { header(name: string): string | undefined }, resp: Response): true => {
      resp.setHeader("cache-control", "max-age=60");
      resp.send(
        Object.keys(override)
          .map((name) => String(req.header(name)))
          .join(),
      );
      return true;
    };
    await using site = await cachedSite(answer);
    expect((await site.get("/", override)).text).toBe("undefined,undefined,undefined");
    await using keyed = await cachedSite(answer, ".key = $authority + $uri + $header_x_original_url");
    expect((await keyed.get("/", override)).text).toBe("/admin,undefined,undefined");
  });

  test("of unsafe methods make stored responses invalid", async () => {
    await using site = await cachedSite(counting());
    await site.get("/");
    const posted = await site.ask({ method: "POST", url: "http://a.example/", content: "x" });
    expect(posted.headers["cache-status"]).toBe("Hemi; fwd=method");
    expect((await site.get("/")).text).toBe("answer 3");
  });

  test("that nothing behind takes go to the next rule", async () => {
    await using site = await cachedSite(() => false);
    expect((await site.get("/")).text).toBe("next rule");
  });

  test("pass what stands before the cache, on hits, too", async () => {
    const gate = defineHandlet({
      sign: "gate",
      create: () => ({
        handle(req) {
          if (req.header("key") !== "right") throw new HTTPError(403);
          return false;
        },
      }),
    });
    await using site = await cachedSite(counting(), "", { before: "gate {}", definitions: [gate] });
    expect((await site.get("/", { key: "right" })).status).toBe(200);
    expect((await site.get("/")).status).toBe(403);
    expect(await site.get("/", { key: "right" })).toMatchObject({ status: 200, text: "answer 1" });
  });

  test("get what revisers of the rule make of the stored response", async () => {
    const shout = defineReviser({
      sign: "shout",
      create: () => ({
        rank: 10,
        reviseResponse: (req) => ({
          push: (piece, next) => next(Buffer.from(`${String(piece)} for ${req.header("user")}`)),
        }),
      }),
    });
    await using site = await cachedSite(counting(), "", { before: "shout {}", definitions: [shout] });
    expect((await site.get("/", { user: "a" })).text).toBe("answer 1 for a");
    expect((await site.get("/", { user: "b" })).text).toBe("answer 1 for b");
  });

  test("with authorization share only what the response allows", async () => {
    await using site = await cachedSite(counting());
    const authorization = "Basic x";
    expect((await site.get("/", { authorization })).text).toBe("answer 1");
    expect((await site.get("/")).text).toBe("answer 2");
    await using open = await cachedSite(counting({ "cache-control": "public, max-age=60" }));
    await open.get("/", { authorization });
    expect((await open.get("/")).text).toBe("answer 1");
  });

  test("are answered in full where a 304 confirms another response than the stored one", async () => {
    let etag = '"1"';
    await using site = await cachedSite((req, resp) => {
      resp.setHeader("cache-control", "max-age=60");
      resp.setHeader("etag", etag);
      if (req.header("if-none-match") === undefined) resp.send(`content ${etag}`);
      else {
        resp.status = 304;
        resp.send();
      }
      return true;
    });
    await site.get("/");
    etag = '"2"';
    site.wait(60);
    expect(await site.get("/")).toMatchObject({ status: 200, text: 'content "2"' });
  });

  test("get 500, and the log a line, for what a handlet behind throws", async () => {
    await using site = await cachedSite(() => {
      throw new Error("broken");
    });
    expect((await site.get("/")).status).toBe(500);
    expect(site.log.filter((line) => line.includes("broken"))).toHaveLength(1);
  });
});

describe("clients that want the same at once", () => {
  test("get one fetch, as it comes", async () => {
    const gate = Promise.withResolvers<void>();
    await using site = await cachedSite(async (_req, resp) => {
      resp.setHeader("cache-control", "max-age=60");
      await gate.promise;
      await resp.echo("one ");
      await setImmediate();
      await resp.echo("two");
      resp.end();
      return true;
    });
    const clients = Array.from({ length: 1000 }, () => site.get("/"));
    gate.resolve();
    const answers = await Promise.all(clients);
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(["one two"]));
    expect(answers.filter(({ headers }) => String(headers["cache-status"]).includes("collapsed"))).toHaveLength(999);
    expect(site.asked()).toBe(1);
  });

  test("of a private response, the first gets it, and the others ask for themselves without waiting", async () => {
    const gates: (() => void)[] = [];
    await using site = await cachedSite(async (req, resp) => {
      await new Promise<void>((resolve) => gates.push(resolve));
      resp.setHeader("cache-control", "private");
      resp.send(`for ${req.header("cookie")}`);
      return true;
    });
    const clients = ["a", "b", "c"].map((cookie) => site.get("/", { cookie }));
    expect(site.asked()).toBe(1);
    gates[0]?.();
    while (site.asked() < 3) await setImmediate();
    gates[2]?.();
    gates[1]?.();
    expect((await Promise.all(clients)).map(({ text }) => text)).toEqual(["for a", "for b", "for c"]);
    // From now on, they do not even wait for the first.
    const later = ["d", "e"].map((cookie) => site.get("/", { cookie }));
    expect(site.asked()).toBe(5);
    for (const open of gates) open();
    await Promise.all(later);
  });

  test("of variants, each gets its own", async () => {
    const gate = Promise.withResolvers<void>();
    await using site = await cachedSite(async (req, resp) => {
      await gate.promise;
      resp.setHeader("cache-control", "max-age=60");
      resp.setHeader("vary", "accept-language");
      resp.send(req.header("accept-language"));
      return true;
    });
    const clients = ["de", "en", "de", "en"].map((language) => site.get("/", { "accept-language": language }));
    gate.resolve();
    expect((await Promise.all(clients)).map(({ text }) => text)).toEqual(["de", "en", "de", "en"]);
    expect(site.asked()).toBe(2);
  });

  test.each([304, 503])("of variants, none gets what a %i answer to another one stands for", async (status) => {
    const gate = Promise.withResolvers<void>();
    let isValidating = false;
    await using site = await cachedSite(async (req, resp) => {
      resp.setHeader("cache-control", "max-age=60, stale-if-error=600");
      resp.setHeader("etag", `"${req.header("cookie")}"`);
      resp.setHeader("vary", "cookie");
      if (isValidating) await gate.promise;
      if (isValidating && req.header("cookie") === "a") resp.status = status;
      resp.send(resp.status === 304 ? undefined : `for ${req.header("cookie")}`);
      return true;
    });
    await site.get("/", { cookie: "a" });
    isValidating = true;
    site.wait(60);
    const clients = ["a", "b", "a"].map((cookie) => site.get("/", { cookie }));
    while (site.asked() < 2) await setImmediate();
    gate.resolve();
    expect((await Promise.all(clients)).map(({ text }) => text)).toEqual(["for a", "for b", "for a"]);
  });

  test("do not wait for a first one that is slow, or leaves", async () => {
    const size = 3 * 1024 * 1024;
    const gate = Promise.withResolvers<void>();
    await using site = await cachedSite(async (_req, resp) => {
      resp.setHeader("cache-control", "max-age=60");
      await gate.promise;
      for (let i = 0; i < 48; i++) await resp.echo(Buffer.alloc(size / 48, i));
      resp.end();
      return true;
    });
    // It reads nothing.
    const slow = connect(site.port, "127.0.0.1").pause();
    await once(slow, "connect");
    slow.write("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n");
    while (site.asked() === 0) await setImmediate();
    const others = [site.get("/"), site.get("/", { range: "bytes=0-9" })];
    gate.resolve();
    const [whole] = await Promise.all(others);
    expect(whole?.content.length).toBe(size);
    slow.destroy();
    expect((await site.get("/")).content.length).toBe(size);
    expect(site.asked()).toBe(1);
  });

  test("of what is too large to store, each get all of it", async () => {
    const piece = Buffer.alloc(100_000);
    await using site = await cachedSite(
      async (_req, resp) => {
        resp.setHeader("cache-control", "max-age=60");
        for (let i = 0; i < 20; i++) await resp.echo(piece);
        resp.end();
        return true;
      },
      "",
      { cacher: ".maxWobjectSize = 1M" },
    );
    const answers = await Promise.all([site.get("/"), site.get("/"), site.get("/")]);
    expect(answers.map(({ content }) => content.length)).toEqual([2_000_000, 2_000_000, 2_000_000]);
    expect((await site.cache.explainUrl("http://a.example/")).variants).toEqual([]);
  });

  test("see that the response breaks off", async () => {
    await using site = await cachedSite(async (_req, resp) => {
      resp.setHeader("cache-control", "max-age=60");
      await resp.echo("begin");
      resp.abort();
      return true;
    });
    const clients = [site.get("/"), site.get("/")];
    for (const client of clients) await expect(client).rejects.toMatchObject({ code: "HEMI_PEER_GONE" });
    expect((await site.cache.explainUrl("http://a.example/")).variants).toEqual([]);
  });

  test("get 504 from a backend that never answers", async () => {
    await using site = await cachedSite(() => new Promise<never>(() => undefined), ".fetchTimeout = 20ms");
    expect((await site.get("/")).status).toBe(504);
  });
});

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
