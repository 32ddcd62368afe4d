// HEAD of a resource that is cached in slices (RFC 9111 section 4.3.5).

import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { cacherTiers, tieredSite } from "../../testing/cached-site.ts";
import { longText, rangedBackend } from "../../testing/ranged-backend.ts";
import type { InjectResponse } from "../wires/inject-request.ts";

const url = "http://a.example/";
const reload = { "cache-control": "no-cache" };
const noMatch = { "if-match": '"2"' };

describe.each(cacherTiers)("in %s", (_, optionsFor) => {
  async function siteOf(backend = rangedBackend(longText), settings = ".sliceSize = 4K") {
    const site = await tieredSite(backend.handle, settings, optionsFor);
    const part = (first: number, headers = {}) => {
      return site.get("/", { range: `bytes=${first}-${first + 1}`, ...headers });
    };
    return {
      ...site,
      backend,
      part,
      head: (headers: Readonly<Record<string, string>> = {}) => site.ask({ method: "HEAD", url, headers }),
      /** The `content-length` of a HEAD. */
      async length(headers: Readonly<Record<string, string>> = {}) {
        const asked = { port: site.port, method: "HEAD", headers: { host: "a.example", ...headers }, agent: false };
        const [answer]: IncomingMessage[] = await once(request(asked).end(), "response");
        return answer?.resume().headers["content-length"];
      },
      /** With the slices of these bytes. Clients have an answer before it is stored. */
      async stored(...bytes: number[]) {
        for (const byte of bytes) {
          await expect.poll(async () => statusOf(await part(byte, { "cache-control": "max-age=60" }))).toMatch(/hit/);
        }
        backend.asked.length = 0;
      },
    };
  }

  test.each([0, 5000])("is answered with length and validators, out of the slice with byte %i", async (byte) => {
    await using site = await siteOf();
    await site.stored(byte);
    const head = await site.head();
    expect(head).toMatchObject({ status: 200, text: "", headers: { etag: '"1"' } });
    expect(head.headers["content-range"]).toBeUndefined();
    expect(statusOf(head)).toBe("Hemi; hit; ttl=60");
    expect(await site.length()).toBe("10000");
    expect(await site.length({ range: "bytes=5000-5001" })).toBe("10000");
    expect((await site.head({ "if-none-match": '"1"' })).status).toBe(304);
    expect(site.backend.asked).toEqual([]);
  });

  test("goes to the backend if no slice is stored, and is 504 with only-if-cached", async () => {
    await using site = await siteOf();
    expect(statusOf(await site.head())).toBe("Hemi; fwd=uri-miss");
    expect((await site.head({ "cache-control": "only-if-cached" })).status).toBe(504);
    await site.stored(0);
    site.wait(61);
    expect((await site.head({ "cache-control": "only-if-cached" })).status).toBe(504);
    expect(site.backend.asked).toEqual([]);
  });

  test("with the same validators and length makes all slices fresh again, with its fields", async () => {
    await using site = await siteOf();
    await site.stored(0, 5000, 9000);
    site.wait(61);
    site.backend.control = "max-age=100";
    site.backend.head = { "x-new": "yes" };
    const head = await site.head();
    expect(head).toMatchObject({ status: 200, headers: { "x-new": "yes" } });
    expect(statusOf(head)).toBe("Hemi; fwd=stale");
    for (const first of [0, 5000, 9000]) {
      const part = await site.part(first);
      expect(part).toMatchObject({ status: 206, text: longText.slice(first, first + 2), headers: { "x-new": "yes" } });
      expect(part.headers["content-range"]).toBe(`bytes ${first}-${first + 1}/10000`);
      expect(statusOf(part)).toBe("Hemi; hit; ttl=100");
    }
    expect((await site.get("/")).text).toBe(longText);
    expect(site.backend.asked).toEqual(["all"]);
  });

  test.each([
    ["etag", { etag: '"2"' }, longText],
    ["last-modified", { "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" }, longText],
    ["length", {}, `${longText}x`],
  ])("with another %s makes all slices stale", async (_, fields, text) => {
    await using site = await siteOf();
    await site.stored(0, 5000, 9000);
    site.backend.head = fields;
    site.backend.text = text;
    expect(statusOf(await site.head(reload))).toBe("Hemi; fwd=request");
    for (const first of [0, 5000, 9000]) expect(statusOf(await site.part(first))).toMatch(/fwd=stale/);
  });

  test("with another etag makes slices stale beyond those that it compares", async () => {
    const backend = rangedBackend(longText.repeat(50));
    await using site = await siteOf(backend);
    await site.stored(0, 499_000);
    await site.head(reload);
    expect(statusOf(await site.part(499_000))).toMatch(/hit/);
    backend.head = { etag: '"2"' };
    await site.head(reload);
    expect(statusOf(await site.part(499_000))).toMatch(/fwd=stale/);
  });

  test("makes the slices of another response stale, although the first one is current", async () => {
    await using site = await siteOf();
    await site.stored(5000);
    site.backend.etag = '"2"';
    await site.stored(0);
    await site.head(reload);
    expect(statusOf(await site.part(5000))).toMatch(/fwd=stale/);
  });

  test("that forbids storing ends the reuse of all slices", async () => {
    await using site = await siteOf();
    await site.stored(0, 5000);
    site.backend.control = "no-store";
    await site.head(reload);
    for (const first of [0, 5000]) expect(statusOf(await site.part(first))).not.toMatch(/hit/);
  });

  test("during a purge brings no slice back", async () => {
    const gate = Promise.withResolvers<void>();
    await using site = await siteOf();
    await site.stored(0, 5000);
    site.backend.gate = gate.promise;
    const head = site.head(reload);
    await expect.poll(() => site.backend.asked).toHaveLength(1);
    await site.cache.purge({ url }, { isSoft: true });
    gate.resolve();
    await head;
    for (const first of [0, 5000]) expect(statusOf(await site.part(first))).toMatch(/fwd=stale/);
  });

  test("gets what is stored while the backend fails, as GET does", async () => {
    const backend = rangedBackend(longText);
    backend.control = "max-age=60, stale-if-error=600";
    await using site = await siteOf(backend);
    await site.stored(0);
    site.wait(61);
    backend.status = 503;
    const head = await site.head();
    expect(head).toMatchObject({ status: 200, text: "", headers: { etag: '"1"' } });
    expect(statusOf(head)).toBe("Hemi; fwd=stale; fwd-status=503; detail=stale-if-error");
  });

  test("gets a stale answer that is validated in the background", async () => {
    const backend = rangedBackend(longText);
    backend.control = "max-age=60, stale-while-revalidate=600";
    await using site = await siteOf(backend, ".sliceSize = 4K .revalidationJitter = 0s");
    await site.stored(0);
    site.wait(61);
    expect(statusOf(await site.head())).toMatch(/hit/);
    await expect.poll(async () => statusOf(await site.head())).toBe("Hemi; hit; ttl=60");
    expect(backend.asked).toEqual(["bytes=0-4095"]);
  });

  test.each(["GET", "HEAD"])("%s with a condition that only the origin can judge goes there", async (method) => {
    await using site = await siteOf();
    await site.stored(0);
    const answer = await site.ask({ method, url, headers: noMatch });
    expect(statusOf(answer)).toBe("Hemi; fwd=request");
    expect(site.backend.asked).toEqual(["all"]);
  });
});

function statusOf({ headers }: InjectResponse): string {
  return String(headers["cache-status"]);
}
