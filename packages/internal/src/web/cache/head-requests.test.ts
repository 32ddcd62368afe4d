// HEAD that goes to the backend (RFC 9111 section 4.3.5): what its answer changes of the stored responses to GET.

import { describe, expect, test } from "vitest";
import { cachedSite, cacherTiers, tieredSite, type CachedSiteOptions } from "../../testing/cached-site.ts";
import { RawBackend } from "../../testing/raw-backend.ts";
import { defineReviser } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";

const url = "http://a.example/";
const reload = { "cache-control": "no-cache" };

/** Answers GET with a content, and HEAD with fields and a size that a test sets. */
function resource() {
  const backend = {
    get: { "cache-control": "max-age=60", etag: '"1"' } as Record<string, string>,
    head: { "cache-control": "max-age=60", etag: '"1"' } as Record<string, string>,
    status: 200,
    size: undefined as number | undefined,
    /** Until then, HEAD is not answered. */
    gate: undefined as Promise<void> | undefined,
    async handle(req: Request, resp: Response): Promise<true> {
      const isHead = req.method === "HEAD";
      if (isHead) await backend.gate;
      for (const [name, value] of Object.entries(isHead ? backend.head : backend.get)) resp.setHeader(name, value);
      if (!isHead) resp.send(`content ${resp.header("etag")}`);
      else {
        resp.status = backend.status;
        if (backend.size !== undefined) resp.contentSize = backend.size;
        resp.sendHead();
        resp.end();
      }
      return true;
    },
  };
  return backend;
}

type Backend = ReturnType<typeof resource>;

describe.each(cacherTiers)("in %s", (_, optionsFor) => {
  async function siteOf(backend: Backend, settings = "", more: CachedSiteOptions = {}) {
    const site = await tieredSite(backend.handle, settings, optionsFor, more);
    return {
      ...site,
      head: (headers: Record<string, string> = {}) => site.ask({ method: "HEAD", url, headers }),
      /** Clients have an answer before it is stored. */
      async stored() {
        await site.get("/");
        await expect.poll(async () => (await site.cache.explainUrl(url)).variants).toHaveLength(1);
      },
    };
  }

  test("a HEAD with the same validators and size makes what is stored fresh again, with its fields", async () => {
    const backend = resource();
    await using site = await siteOf(backend);
    await site.stored();
    site.wait(61);
    backend.head = { "cache-control": "max-age=100", etag: '"1"', "x-new": "yes" };
    backend.size = 11;
    const head = await site.head();
    expect(head).toMatchObject({ status: 200, headers: { "x-new": "yes" } });
    expect(head.headers["cache-status"]).toBe("Hemi; fwd=stale");
    const hit = await site.get("/");
    expect(hit).toMatchObject({ text: 'content "1"', headers: { "x-new": "yes", age: "0" } });
    expect(hit.headers["cache-status"]).toBe("Hemi; hit; ttl=100");
    expect(site.asked()).toBe(2);
  });

  test.each([
    ["etag", { etag: '"2"' }, undefined],
    ["last-modified", { "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" }, undefined],
    ["content-length", {}, 12],
  ])("a HEAD with another %s makes what is stored stale", async (_, fields, size) => {
    const backend = resource();
    await using site = await siteOf(backend);
    await site.stored();
    backend.head = { "cache-control": "max-age=60", ...fields };
    backend.size = size;
    await site.head(reload);
    expect((await site.get("/")).headers["cache-status"]).toMatch(/fwd=stale/);
    expect(site.asked()).toBe(3);
  });

  test.each([301, 404, 410])("a HEAD with %i changes nothing that is stored", async (status) => {
    const backend = resource();
    await using site = await siteOf(backend);
    await site.stored();
    backend.status = status;
    backend.head = { "cache-control": "max-age=100", etag: '"2"' };
    expect((await site.head(reload)).status).toBe(status);
    expect((await site.get("/")).headers["cache-status"]).toBe("Hemi; hit; ttl=60");
  });

  test("a HEAD that forbids storing ends the reuse of what is stored", async () => {
    const backend = resource();
    await using site = await siteOf(backend);
    await site.stored();
    backend.head = { "cache-control": "no-store", etag: '"1"' };
    await site.head(reload);
    expect((await site.get("/")).headers["cache-status"]).toMatch(/fwd=stale/);
  });

  test("all variants that a HEAD selects are compared, and no other", async () => {
    const backend = resource();
    backend.get["vary"] = "accept";
    await using site = await siteOf(backend);
    for (const accept of ["a", "b"]) await site.get("/", { accept });
    await expect.poll(async () => (await site.cache.explainUrl(url)).variants).toHaveLength(2);
    backend.head = { etag: '"2"', vary: "accept" };
    await site.head({ ...reload, accept: "a" });
    expect((await site.get("/", { accept: "b" })).headers["cache-status"]).toMatch(/hit/);
    expect((await site.get("/", { accept: "a" })).headers["cache-status"]).toMatch(/fwd=stale/);
  });

  test.each([true, false])("a purge during a HEAD holds for what it would update: soft is %s", async (isSoft) => {
    const backend = resource();
    const gate = Promise.withResolvers<void>();
    backend.gate = gate.promise;
    await using site = await siteOf(backend);
    await site.stored();
    const head = site.head(reload);
    await expect.poll(() => site.asked()).toBe(2);
    await site.cache.purge({ url }, { isSoft });
    gate.resolve();
    await head;
    expect((await site.get("/")).headers["cache-status"]).not.toMatch(/hit/);
  });

  test("a HEAD that was sent before a response came does not update it", async () => {
    const backend = resource();
    const gate = Promise.withResolvers<void>();
    backend.gate = gate.promise;
    await using site = await siteOf(backend);
    await site.stored();
    const head = site.head(reload);
    await expect.poll(() => site.asked()).toBe(2);
    site.wait(2);
    backend.get = { "cache-control": "max-age=60", etag: '"2"' };
    await site.get("/", reload);
    await expect.poll(async () => (await site.get("/")).text).toBe('content "2"');
    gate.resolve();
    await head;
    expect(await site.get("/")).toMatchObject({ text: 'content "2"', headers: { etag: '"2"' } });
    expect((await site.get("/")).headers["cache-status"]).toMatch(/hit/);
  });

  test("a field of a client that could plant another response does not reach what updates the stored one", async () => {
    const backend = resource();
    await using site = await siteOf({
      ...backend,
      handle: (req, resp) => {
        backend.head["x-host"] = req.header("x-forwarded-host") ?? "none";
        return backend.handle(req, resp);
      },
    });
    await site.stored();
    await site.head({ ...reload, "x-forwarded-host": "evil.example" });
    expect((await site.get("/")).headers).toMatchObject({ "x-host": "none", "cache-status": "Hemi; hit; ttl=60" });
  });

  test("what a reviser changes of the answer to a HEAD is no difference", async () => {
    const weaken = defineReviser({
      sign: "weaken",
      create: () => ({
        rank: 10,
        reviseResponse(_req, resp) {
          resp.setHeader("etag", 'W/"1"');
          return undefined;
        },
      }),
    });
    const backend = resource();
    await using site = await siteOf(backend, "", { before: "weaken {}", definitions: [weaken] });
    await site.stored();
    expect((await site.head(reload)).headers["etag"]).toBe('W/"1"');
    expect((await site.get("/")).headers["cache-status"]).toBe("Hemi; hit; ttl=60");
  });

  test("while the backend fails, HEAD gets what is stored, as GET does", async () => {
    const backend = resource();
    backend.get["cache-control"] = "max-age=60, stale-if-error=600";
    await using site = await siteOf(backend);
    await site.stored();
    site.wait(61);
    backend.status = 503;
    const head = await site.head();
    expect(head).toMatchObject({ status: 200, text: "", headers: { etag: '"1"' } });
    expect(head.headers["cache-status"]).toBe("Hemi; fwd=stale; fwd-status=503; detail=stale-if-error");
  });

  test("a HEAD with a condition gets 304 for what the client has", async () => {
    const backend = resource();
    await using site = await siteOf(backend);
    await site.stored();
    expect((await site.head({ ...reload, "if-none-match": '"1"' })).status).toBe(304);
    backend.size = 11;
    expect((await site.head({ ...reload, "if-none-match": '"1"' })).status).toBe(304);
  });
});

test("a request after a HEAD that tells of another response does not join the fetch of the one before", async () => {
  const backend = resource();
  const gate = Promise.withResolvers<void>();
  await using site = await cachedSite(async (req, resp) => {
    if (req.method !== "GET" || site.asked() === 1) return backend.handle(req, resp);
    const etag = resp.header("etag") ?? backend.get["etag"] ?? "";
    resp.setHeader("cache-control", "max-age=60");
    resp.setHeader("etag", etag);
    await resp.echo(`content ${etag}`);
    await gate.promise;
    resp.end();
    return true;
  });
  await site.get("/");
  const before = site.get("/", reload);
  await expect.poll(() => site.asked()).toBe(2);
  backend.get["etag"] = backend.head["etag"] = '"2"';
  await site.ask({ method: "HEAD", url, headers: reload });
  const after = site.get("/");
  gate.resolve();
  expect([(await before).text, (await after).text]).toEqual(['content "1"', 'content "2"']);
});

test("what is fetched anew is stored, however many answers to HEAD differ from what was stored before", async () => {
  const backend = resource();
  const gate = Promise.withResolvers<void>();
  await using site = await cachedSite(async (req, resp) => {
    if (req.method === "GET" && site.asked() > 1) await gate.promise;
    return await backend.handle(req, resp);
  });
  await site.get("/");
  backend.get["etag"] = backend.head["etag"] = '"2"';
  const head = () => site.ask({ method: "HEAD", url, headers: reload });
  await head();
  const fetched = site.get("/");
  await expect.poll(() => site.asked()).toBe(3);
  await head();
  gate.resolve();
  expect((await fetched).text).toBe('content "2"');
  expect((await site.get("/")).headers["cache-status"]).toMatch(/hit/);
});

test("an answer to HEAD without content is no other size than that of what is stored", async () => {
  await using site = await cachedSite((req, resp) => {
    resp.setHeader("cache-control", "max-age=60");
    resp.send(req.method === "HEAD" ? undefined : "hello");
    return true;
  });
  const served = `http://127.0.0.1:${site.port}/`;
  await (await fetch(served)).text();
  const head = async (headers = {}) => (await fetch(served, { method: "HEAD", headers })).headers.get("content-length");
  expect(await head()).toBe("5");
  expect(await head(reload)).toBeNull();
  expect(await head()).toBe("5");
});

test("a HEAD that the backend does not answer gets 504", async () => {
  await using backend = await RawBackend.listen(async (conn) => {
    const { line } = await conn.request();
    if (line.startsWith("GET")) conn.answer("content", 'cache-control: max-age=1\r\netag: "1"\r\n');
  });
  await using site = await cachedSite(() => false, ".fetchTimeout = 100ms", {
    behind: 'httpProxy { .toBackend = "app" }',
    beside: `http1Backend "app" { .nodes = (["address": "${backend.address}"]) }`,
  });
  await site.get("/");
  site.wait(2);
  expect((await site.ask({ method: "HEAD", url })).status).toBe(504);
  expect((await site.get("/", { "cache-control": "max-stale" })).text).toBe("content");
});
