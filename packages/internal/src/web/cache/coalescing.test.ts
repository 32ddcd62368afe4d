import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { cachedSite } from "../../testing/cached-site.ts";

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

  test("with no-cache get no answer that has begun before they came", async () => {
    const gate = Promise.withResolvers<void>();
    await using site = await cachedSite(async (_req, resp) => {
      const count = site.asked();
      resp.setHeader("cache-control", "max-age=60");
      await resp.echo(`answer ${count}`);
      if (count === 1) await gate.promise;
      resp.end();
      return true;
    });
    const first = site.get("/");
    await expect.poll(() => site.asked()).toBe(1);
    for (let i = 0; i < 20; i++) await setImmediate();
    const later = [site.get("/"), site.get("/", { "cache-control": "no-cache" })];
    await expect.poll(() => site.asked()).toBe(2);
    gate.resolve();
    const texts = (await Promise.all([first, ...later])).map(({ text }) => text);
    expect(texts).toEqual(["answer 1", "answer 1", "answer 2"]);
  });

  test.each(["no-cache", "max-age=0", "max-age=60, no-cache", "max-age=0, must-revalidate"])(
    "of a response with %s, the others ask for themselves: each use of it needs a validation",
    async (control) => {
      let gate = Promise.withResolvers<void>();
      await using site = await cachedSite(async (req, resp) => {
        await gate.promise;
        const etag = `"${req.header("cookie")}"`;
        resp.setHeader("cache-control", control);
        resp.setHeader("etag", etag);
        if (req.header("if-none-match") === etag) resp.status = 304;
        resp.send(resp.status === 304 ? undefined : `for ${req.header("cookie")}`);
        return true;
      });
      const users = ["a", "b", "c"];
      const all = ["for a", "for b", "for c"];
      const ask = () => users.map((cookie) => site.get("/", { cookie }));
      const cold = ask();
      await expect.poll(() => site.asked()).toBe(1);
      gate.resolve();
      expect((await Promise.all(cold)).map(({ text }) => text)).toEqual(all);
      // From now on, they do not even wait for the first.
      gate = Promise.withResolvers();
      const warm = ask();
      await expect.poll(() => site.asked()).toBe(6);
      gate.resolve();
      expect((await Promise.all(warm)).map(({ text }) => text)).toEqual(all);
    },
  );

  test("of a response that ends its fresh time by a 304 with no-cache, the others ask for themselves", async () => {
    const gate = Promise.withResolvers<void>();
    let control = "max-age=60";
    await using site = await cachedSite(async (req, resp) => {
      resp.setHeader("cache-control", control);
      resp.setHeader("etag", '"1"');
      if (control === "no-cache") await gate.promise;
      if (req.header("if-none-match") === '"1"') resp.status = 304;
      resp.send(resp.status === 304 ? undefined : `for ${req.header("cookie")}`);
      return true;
    });
    await site.get("/", { cookie: "a" });
    site.wait(60);
    control = "no-cache";
    const clients = ["a", "b"].map((cookie) => site.get("/", { cookie }));
    await expect.poll(() => site.asked()).toBe(2);
    gate.resolve();
    expect((await Promise.all(clients)).map(({ text }) => text)).toEqual(["for a", "for b"]);
  });

  test("get one fetch that takes longer than its response is fresh", async () => {
    const gate = Promise.withResolvers<void>();
    await using site = await cachedSite(async (_req, resp) => {
      resp.setHeader("cache-control", "max-age=1");
      await gate.promise;
      resp.send("slow");
      return true;
    });
    const clients = [1, 2, 3].map(() => site.get("/"));
    await expect.poll(() => site.asked()).toBe(1);
    site.wait(5);
    gate.resolve();
    expect((await Promise.all(clients)).map(({ text }) => text)).toEqual(["slow", "slow", "slow"]);
    expect(site.asked()).toBe(1);
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

  test("get the answer, although the first one is reset before anything has come", async () => {
    const gate = Promise.withResolvers<void>();
    let isAborted = false;
    await using site = await cachedSite(async (req, resp) => {
      req.onAbort(() => (isAborted = true));
      await gate.promise;
      resp.setHeader("cache-control", "max-age=60");
      resp.send("answer");
      return true;
    });
    const first = connect(site.port, "127.0.0.1");
    await once(first, "connect");
    first.write("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n");
    while (site.asked() === 0) await setImmediate();
    const others = [site.get("/"), site.get("/")];
    first.resetAndDestroy();
    await once(first, "close");
    for (let i = 0; i < 20; i++) await setImmediate();
    gate.resolve();
    expect((await Promise.all(others)).map(({ text }) => text)).toEqual(["answer", "answer"]);
    expect([site.asked(), isAborted]).toEqual([1, false]);
  });

  test("of a private response, the others get theirs, although the first one is reset", async () => {
    const gate = Promise.withResolvers<void>();
    await using site = await cachedSite(async (req, resp) => {
      await gate.promise;
      resp.setHeader("cache-control", "private");
      resp.send(`for ${req.header("cookie")}`);
      return true;
    });
    const first = connect(site.port, "127.0.0.1");
    await once(first, "connect");
    first.write("GET / HTTP/1.1\r\nhost: a.example\r\ncookie: secret\r\n\r\n");
    while (site.asked() === 0) await setImmediate();
    const other = site.get("/", { cookie: "b" });
    first.resetAndDestroy();
    await once(first, "close");
    gate.resolve();
    expect((await other).text).toBe("for b");
  });

  test("get what is stale from a backend that hangs, within its time", async () => {
    let hangs = false;
    await using site = await cachedSite((_req, resp) => {
      if (hangs) return new Promise<never>(() => undefined);
      resp.setHeader("cache-control", "max-age=60, stale-if-error=60");
      resp.send("answer");
      return true;
    }, ".fetchTimeout = 20ms");
    await site.get("/");
    hangs = true;
    site.wait(70);
    const answers = await Promise.all([site.get("/"), site.get("/")]);
    expect(answers.map(({ status, text }) => `${status} ${text}`)).toEqual(["200 answer", "200 answer"]);
    expect(site.asked()).toBe(2);
    site.wait(60);
    expect((await site.get("/")).status).toBe(504);
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
