// Validation of stored responses (RFC 9111 sections 4.3.4, 4.3.5): what a 304 and an answer to HEAD change.

import { expect, test } from "vitest";
import { cachedSite } from "../../testing/cached-site.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";

/** Answers with a content, and with 304 to conditions. A test changes the fields of both. */
function validated() {
  const backend = {
    etag: '"1"',
    fieldsOf200: { "cache-control": "max-age=60" } as Record<string, string>,
    fieldsOf304: { "cache-control": "max-age=60" } as Record<string, string>,
    /** Until then, it does not answer. */
    gate: undefined as Promise<void> | undefined,
    async handle(req: Request, resp: Response): Promise<true> {
      await backend.gate;
      resp.setHeader("etag", backend.etag);
      const isCurrent = req.header("if-none-match") === backend.etag;
      const fields = isCurrent ? backend.fieldsOf304 : backend.fieldsOf200;
      for (const [name, value] of Object.entries(fields)) resp.setHeader(name, value);
      if (isCurrent) resp.status = 304;
      resp.send(isCurrent || req.method === "HEAD" ? undefined : `content ${backend.etag}`);
      return true;
    },
  };
  return backend;
}

const reload = { "cache-control": "no-cache" };
const url = "http://a.example/";

test.each(["private", "no-store"])("a 304 with %s ends the reuse of what it confirms", async (control) => {
  const backend = validated();
  backend.fieldsOf304 = { "cache-control": control };
  await using site = await cachedSite(backend.handle);
  await site.get("/");
  expect((await site.get("/", reload)).headers["cache-control"]).toBe(control);
  expect((await site.get("/")).headers["cache-status"]).toMatch(/fwd-status=304/);
  expect(site.asked()).toBe(3);
});

test.each([
  ["max-age=60", "no-store", true],
  ["max-age=60", "private", true],
  ["no-store", "max-age=60", false],
])("of a 304 with %s, and %s in a targeted field, the latter counts", async (control, targeted, ends) => {
  const backend = validated();
  backend.fieldsOf200 = { "cache-control": "max-age=60", "cdn-cache-control": "max-age=60" };
  backend.fieldsOf304 = { "cache-control": control, "cdn-cache-control": targeted };
  await using site = await cachedSite(backend.handle);
  await site.get("/");
  // What must not be stored for the sake of the request alone can be reused by others.
  await site.get("/", { "cache-control": "no-cache, no-store" });
  await site.get("/");
  expect(site.asked()).toBe(ends ? 3 : 2);
});

test.each(["max-age=60", 'max-age=60, private="set-cookie"'])(
  "the cookie of a 304 is for the client alone whose request was validated: %s",
  async (control) => {
    const backend = validated();
    backend.fieldsOf304 = { "cache-control": control, "set-cookie": "a=b" };
    await using site = await cachedSite(backend.handle);
    await site.get("/");
    const gate = Promise.withResolvers<void>();
    backend.gate = gate.promise;
    const first = site.get("/", reload);
    await expect.poll(() => site.asked()).toBe(2);
    const second = site.get("/", reload);
    gate.resolve();
    expect(await first).toMatchObject({ status: 200, text: 'content "1"', headers: { "set-cookie": "a=b" } });
    expect((await second).headers["set-cookie"]).toBeUndefined();
    expect((await site.get("/")).headers).toMatchObject({ "cache-status": "Hemi; hit; ttl=60" });
    expect((await site.get("/")).headers["set-cookie"]).toBeUndefined();
  },
);

test.each(["cache", "cacher"] as const)("a soft purge of its %s holds for what is being validated", async (by) => {
  const backend = validated();
  await using site = await cachedSite(backend.handle);
  await site.get("/");
  site.wait(61);
  const gate = Promise.withResolvers<void>();
  backend.gate = gate.promise;
  const before = site.get("/");
  await expect.poll(() => site.asked()).toBe(2);
  await site[by].purge({ url }, { isSoft: true });
  gate.resolve();
  await before;
  await site.get("/");
  expect(site.asked()).toBe(3);
});

test("RFC 9111 4.3.5: an answer to HEAD makes stale what it differs from, and nothing else", async () => {
  const backend = validated();
  await using site = await cachedSite(backend.handle);
  await site.get("/");
  await site.ask({ method: "HEAD", url, headers: reload });
  expect((await site.get("/")).headers["cache-status"]).toBe("Hemi; hit; ttl=60");
  backend.etag = '"2"';
  await site.ask({ method: "HEAD", url, headers: reload });
  expect((await site.get("/")).text).toBe('content "2"');
});

test("RFC 8246: what is immutable is not validated for a reload, and is for a forced one", async () => {
  const backend = validated();
  backend.fieldsOf200 = { "cache-control": "max-age=60, immutable" };
  await using site = await cachedSite(backend.handle);
  await site.get("/");
  site.wait(10);
  const reloaded = await site.get("/", { "cache-control": "max-age=0", "if-none-match": '"1"' });
  expect(reloaded).toMatchObject({ status: 304, headers: { "cache-status": "Hemi; hit; ttl=50" } });
  await site.get("/", reload);
  expect(site.asked()).toBe(2);
});

test.each([
  [{ "if-match": '"2"' }],
  [{ "if-match": '"2"', "cache-control": "max-stale=60" }],
  [{ "if-unmodified-since": "Wed, 31 Dec 2025 00:00:00 GMT" }],
])("what a client expects of the origin, and is not stored, is asked of the origin: %o", async (headers) => {
  const backend = validated();
  backend.fieldsOf200 = { "cache-control": "max-age=60", "last-modified": "Wed, 31 Dec 2025 12:00:00 GMT" };
  await using site = await cachedSite(backend.handle);
  await site.get("/");
  expect((await site.get("/", { "if-match": '"1"' })).headers["cache-status"]).toMatch(/hit/);
  backend.etag = '"2"';
  expect(await site.get("/", headers)).toMatchObject({ status: 200, text: 'content "2"' });
  expect((await site.get("/")).text).toBe('content "1"');
});
