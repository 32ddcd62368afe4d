import { describe, expect, test } from "vitest";
import { cachedSite, counting } from "../../testing/cached-site.ts";
import { HTTPError } from "../http-error.ts";
import { defineHandlet, defineReviser } from "../kinds.ts";
import type { Response } from "../response/response.ts";

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
    const override = { "x-original-url": "/admin", "x-http-method-override": "POST", x_host: "evil.example" };
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

  test.each([
    ["x-forwarded-host", "evil.example"],
    ["x-forwarded-proto", "https"],
    ["x-forwarded-prefix", "/evil"],
    ["forwarded", "host=evil.example"],
  ])("cannot plant a response for others by %s, unless they come from a proxy that is trusted", async (name, value) => {
    const answer = (req: { header(name: string): string | undefined }, resp: Response): true => {
      resp.setHeader("cache-control", "max-age=60");
      resp.send(`links to ${req.header(name)}`);
      return true;
    };
    await using site = await cachedSite(answer);
    await site.get("/", { [name]: value });
    expect((await site.get("/")).text).toBe("links to undefined");
    await using keyed = await cachedSite(answer, `.key = $authority + $uri + $header_${name.replaceAll("-", "_")}`);
    expect((await keyed.get("/", { [name]: value })).text).toBe(`links to ${value}`);
    expect((await keyed.get("/")).text).toBe("links to undefined");
    await using behind = await cachedSite(answer, "", { beside: '.trustForwarded = ("127.0.0.0/8")' });
    expect((await behind.get("/", { [name]: value })).text).toBe(`links to ${value}`);
  });

  test.each([
    [{ "x-forwarded-proto": "http" }, { "x-forwarded-proto": "https" }],
    [{ "x-forwarded-host": "evil.example" }, { "x-forwarded-host": "a.example" }],
    [{ forwarded: 'for=1.1.1.1;host="evil.example"' }, { forwarded: "for=1.1.1.1" }],
  ])("of a trusted proxy get no answer for another URL of the client: %j", async (first, second) => {
    await using site = await cachedSite(counting(), "", { beside: '.trustForwarded = ("127.0.0.0/8")' });
    await site.get("/", first);
    expect((await site.get("/", second)).text).toBe("answer 2");
    expect((await site.get("/", first)).text).toBe("answer 1");
    expect((await site.get("/", { ...second, "x-forwarded-for": "2.2.2.2" })).text).toBe("answer 2");
    // That of the request itself is said by its absence, too.
    const isSame = !("x-forwarded-proto" in first);
    expect((await site.get("/")).text).toBe(isSame ? "answer 2" : "answer 1");
  });

  test.each([
    ["", {}],
    [".key = $hostname + $uri", {}],
    [".key = $scheme + $hostname + $uri", {}],
    ["", { "x-forwarded-for": "192.0.2.1, 127.0.0.2" }],
  ])(
    "are told apart by the scheme by which their clients came to a trusted proxy, with %j and %j",
    async (key, more) => {
      const answer = (req: { scheme: string }, resp: Response): true => {
        resp.setHeader("cache-control", "max-age=60");
        if (req.scheme === "http") resp.redirect("https://a.example/", 308);
        else resp.send("secret");
        return true;
      };
      await using site = await cachedSite(answer, key, { beside: '.trustForwarded = ("127.0.0.0/8")' });
      for (const _time of ["first", "again"]) {
        expect((await site.get("/", { ...more, "x-forwarded-proto": "http" })).status).toBe(308);
        expect((await site.get("/", { ...more, "x-forwarded-proto": "https" })).status).toBe(200);
      }
      expect(site.asked()).toBe(2);
    },
  );

  test("by https before a trusted proxy are stored and purged by the URL that their clients have asked for", async () => {
    await using site = await cachedSite(counting(), "", { beside: '.trustForwarded = ("127.0.0.0/8")' });
    const byTls = { "x-forwarded-proto": "https" };
    expect((await site.get("/", byTls)).text).toBe("answer 1");
    expect((await site.ask({ url: "https://a.example/" })).text).toBe("answer 1");
    expect(await site.cache.explainUrl("https://a.example/")).toMatchObject({ variants: [{ status: 200 }] });
    await site.cache.purge({ url: "http://a.example/" });
    expect((await site.get("/", byTls)).text).toBe("answer 1");
    await site.cache.purge({ url: "https://a.example/" });
    expect((await site.get("/", byTls)).text).toBe("answer 2");
  });

  test("of other peers are not stored by a scheme that they only claim", async () => {
    await using site = await cachedSite(counting());
    expect((await site.get("/", { "x-forwarded-proto": "https" })).text).toBe("answer 1");
    expect((await site.ask({ url: "https://a.example/" })).text).toBe("answer 2");
    expect((await site.get("/")).text).toBe("answer 1");
  });

  test("of a trusted proxy that names its clients by `forwarded` share what is stored", async () => {
    await using site = await cachedSite(counting(), "", { beside: '.trustForwarded = ("127.0.0.0/8")' });
    await site.get("/", { forwarded: "for=1.1.1.1;proto=https" });
    expect((await site.get("/", { forwarded: "for=2.2.2.2;proto=https" })).text).toBe("answer 1");
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
