// Large resources that are cached in slices.

import { mkdtempDisposable, readdir, readlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { cachedSite } from "../../testing/cached-site.ts";
import { longText as long, rangedBackend as ranged } from "../../testing/ranged-backend.ts";

const sliced = ".sliceSize = 4K";

describe("a large resource", () => {
  test("has its cookie for the client that asked for the first slice", async () => {
    const backend = ranged(long);
    backend.control = 'max-age=60, private="set-cookie"';
    backend.cookie = "a=b";
    await using site = await cachedSite(backend.handle, sliced);
    const clients = await Promise.all([site.get("/"), site.get("/")]);
    expect(clients.map(({ text }) => text === long)).toEqual([true, true]);
    expect(clients.map(({ headers }) => headers["set-cookie"])).toEqual(["a=b", undefined]);
    site.wait(60);
    const later = await Promise.all([site.get("/"), site.get("/")]);
    expect(later.map(({ headers }) => headers["set-cookie"])).toEqual(["a=b", undefined]);
    expect((await site.get("/")).headers["set-cookie"]).toBeUndefined();
  });

  test("is fetched in the slices that clients want, each once", async () => {
    const backend = ranged(long);
    await using site = await cachedSite(backend.handle, sliced);
    const part = await site.get("/", { range: "bytes=5000-5009" });
    expect(part).toMatchObject({ status: 206, text: long.slice(5000, 5010) });
    expect(part.headers["content-range"]).toBe("bytes 5000-5009/10000");
    expect(part.headers["cache-status"]).toBe("Hemi; fwd=uri-miss; stored");
    expect(backend.asked).toEqual(["bytes=4096-8191"]);
    const whole = await site.get("/");
    expect(whole).toMatchObject({ status: 200, text: long, headers: { etag: '"1"' } });
    expect(whole.headers["content-range"]).toBeUndefined();
    expect(backend.asked.slice(1)).toEqual(["bytes=0-4095", "bytes=8192-12287"]);
    expect((await site.get("/", { range: "bytes=4000-9000" })).text).toBe(long.slice(4000, 9001));
    expect((await site.get("/", { range: "bytes=4090-4099,9990-" })).text).toContain(long.slice(9990));
    expect((await site.get("/")).headers["cache-status"]).toBe("Hemi; hit; ttl=60");
    expect(backend.asked).toHaveLength(3);
  });

  test("may be larger than what the cacher stores in one piece", async () => {
    const backend = ranged(long);
    await using site = await cachedSite(backend.handle, sliced, { cacher: ".maxWobjectSize = 4K" });
    for (let i = 0; i < 2; i++) expect((await site.get("/")).text).toBe(long);
    expect(backend.asked).toHaveLength(3);
  });

  test("is on disk after a restart, and a purge takes what is being fetched of it", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-slices-"));
    const backend = ranged(long);
    const onDisk = { sign: "diskCacher", cacher: `.folder = "${folder.path}"` };
    {
      await using site = await cachedSite(backend.handle, sliced, onDisk);
      await site.get("/");
    }
    await using site = await cachedSite(backend.handle, sliced, onDisk);
    expect((await site.get("/", { range: "bytes=4000-9000" })).text).toBe(long.slice(4000, 9001));
    expect(backend.asked).toHaveLength(3);
    expect(await site.cache.purge({ url: "http://a.example/" })).toBe(3);
    const gate = Promise.withResolvers<void>();
    backend.gate = gate.promise;
    const before = site.get("/", { range: "bytes=0-1" });
    await expect.poll(() => backend.asked).toHaveLength(4);
    await site.cache.purge({ url: "http://a.example/" });
    [backend.text, backend.etag] = ["x".repeat(10_000), '"2"'];
    gate.resolve();
    await before;
    expect((await site.get("/")).text).toBe(backend.text);
    expect(backend.asked).toHaveLength(7);
  });

  test("answers HEAD, conditions, and ranges beyond its end, out of one slice", async () => {
    const backend = ranged(long);
    await using site = await cachedSite(backend.handle, sliced);
    await site.get("/", { range: "bytes=0-1" });
    const head = await site.ask({ method: "HEAD", url: "http://a.example/" });
    expect(head).toMatchObject({ status: 200, text: "", headers: { etag: '"1"' } });
    expect(await site.get("/", { "if-none-match": '"1"' })).toMatchObject({ status: 304 });
    expect(await site.get("/", { range: "bytes=0-1,99999-" })).toMatchObject({ status: 206, text: long.slice(0, 2) });
    expect((await site.get("/x", { "cache-control": "only-if-cached" })).status).toBe(504);
    expect(backend.asked).toHaveLength(1);
  });

  test("is fetched once for many clients that want it at once", async () => {
    const backend = ranged(long);
    await using site = await cachedSite(backend.handle, sliced);
    const all = await Promise.all(Array.from({ length: 50 }, () => site.get("/")));
    expect(new Set(all.map(({ text }) => text))).toEqual(new Set([long]));
    expect(backend.asked).toHaveLength(3);
  });

  test("is validated slice by slice when it is stale", async () => {
    const backend = ranged(long);
    await using site = await cachedSite(backend.handle, sliced);
    await site.get("/");
    site.wait(61);
    expect(await site.get("/")).toMatchObject({ status: 200, text: long });
    expect((await site.get("/")).headers["cache-status"]).toBe("Hemi; hit; ttl=60");
    expect(backend.asked).toHaveLength(6);
  });

  test("that has changed is never put together of old and new slices", async () => {
    const backend = ranged(long);
    await using site = await cachedSite(backend.handle, sliced);
    await site.get("/", { range: "bytes=0-1" });
    [backend.text, backend.etag] = ["x".repeat(10_000), '"2"'];
    // The first slice is still fresh, and the next one is of another response.
    await expect(site.get("/")).rejects.toThrow();
    expect(site.log.join("\n")).toContain("has changed while it was sent");
    expect((await site.get("/")).text).toBe(backend.text);
  });

  test("that has changed replaces stale slices one by one", async () => {
    const backend = ranged(long);
    await using site = await cachedSite(backend.handle, sliced);
    await site.get("/", { range: "bytes=5000-5001" });
    site.wait(30);
    await site.get("/", { range: "bytes=0-1" });
    [backend.text, backend.etag] = ["x".repeat(10_000), '"2"'];
    site.wait(31);
    await site.get("/", { range: "bytes=5000-5001" });
    site.wait(30);
    expect((await site.get("/")).text).toBe(backend.text);
  });

  test("is purged with all its slices", async () => {
    const backend = ranged(long);
    await using site = await cachedSite(backend.handle, sliced);
    await site.get("/");
    expect(await site.cache.purge({ url: "http://a.example/" }, { isDryRun: true })).toBe(3);
    expect((await site.cache.explainUrl("http://a.example/")).variants).toMatchObject([{ status: 206, size: 4096 }]);
    expect(await site.cache.purge({ url: "http://a.example/" })).toBe(3);
    await site.get("/");
    expect(backend.asked).toHaveLength(6);
  });
});

describe("a resource is cached as a whole", () => {
  test("if it fits in one slice", async () => {
    const backend = ranged("short");
    backend.etag = undefined;
    await using site = await cachedSite(backend.handle, sliced);
    for (let i = 0; i < 2; i++) expect(await site.get("/")).toMatchObject({ status: 200, text: "short" });
    expect((await site.get("/", { range: "bytes=1-2" })).text).toBe("ho");
    expect(backend.asked).toEqual(["bytes=0-4095"]);
  });

  test("if the backend ignores ranges", async () => {
    const backend = ranged(long);
    backend.takesRanges = false;
    await using site = await cachedSite(backend.handle, sliced);
    expect((await site.get("/", { range: "bytes=5000-5001" })).text).toBe(long.slice(5000, 5002));
    expect((await site.get("/")).text).toBe(long);
    expect(backend.asked).toHaveLength(1);
  });

  test.for([undefined, 'W/"1"'])("if its slices cannot be told apart: etag %s", async (etag) => {
    const backend = ranged(long);
    backend.etag = etag;
    await using site = await cachedSite(backend.handle, sliced);
    for (let i = 0; i < 2; i++) expect((await site.get("/")).text).toBe(long);
    expect(backend.asked).toEqual(["bytes=0-4095", "all"]);
  });

  test.for([
    "bytes 0-10/10000",
    "bytes 1-4096/10000",
    "bytes 0-4095/*",
    "bytes 5-4/3",
    "bytes 0-4095/4000",
    "0-4095/10000",
    "bytes */10000",
    "bytes 0-4095/99999999999999999999",
    "",
  ])("if the backend sends the content-range %j", async (contentRange) => {
    const backend = ranged(long);
    backend.contentRange = contentRange;
    await using site = await cachedSite(backend.handle, sliced);
    for (let i = 0; i < 2; i++) expect((await site.get("/")).text).toBe(long);
    expect(backend.asked).toEqual(["bytes=0-4095", "all"]);
  });

  test("if it is empty", async () => {
    const backend = ranged("");
    await using site = await cachedSite(backend.handle, sliced);
    for (let i = 0; i < 2; i++) expect(await site.get("/")).toMatchObject({ status: 200, text: "" });
    expect(backend.asked).toEqual(["bytes=0-4095", "all"]);
  });
});

describe("a slice", () => {
  test("that is cut short breaks the answer off, and is not stored", async () => {
    const backend = ranged(long);
    backend.missing = 10;
    await using site = await cachedSite(backend.handle, sliced);
    await expect(site.get("/", { range: "bytes=0-4095" })).rejects.toThrow();
    backend.missing = 0;
    expect((await site.get("/")).text).toBe(long);
  });

  test("that is too long is not stored", async () => {
    const backend = ranged(long);
    backend.missing = -10;
    await using site = await cachedSite(backend.handle, sliced);
    await site.get("/", { range: "bytes=0-9" }).catch(() => undefined);
    backend.missing = 0;
    expect((await site.get("/")).text).toBe(long);
  });

  test("beyond the end is refused, and the refusal is for nobody else", async () => {
    const backend = ranged(long);
    await using site = await cachedSite(backend.handle, sliced);
    const refused = await site.get("/", { range: "bytes=50000-50001" });
    expect(refused).toMatchObject({ status: 416, headers: { "content-range": "bytes */10000" } });
    expect((await site.get("/")).text).toBe(long);
  });

  test("of a private response is for its client alone, as that one asked for it", async () => {
    const backend = ranged(long);
    backend.control = "private";
    await using site = await cachedSite(backend.handle, sliced);
    for (let i = 0; i < 2; i++) {
      expect((await site.get("/", { range: "bytes=5-6" })).text).toBe(long.slice(5, 7));
    }
    expect(backend.asked).toEqual(["bytes=0-4095", "bytes=5-6", "bytes=5-6"]);
  });

  test("that is to be validated before each use is fetched for each client that wants it at once", async () => {
    const backend = ranged(long);
    backend.control = "no-cache";
    await using site = await cachedSite(backend.handle, sliced);
    const get = async () => (await site.get("/", { range: "bytes=5-6" })).text;
    for (const asked of [3, 6]) {
      expect(await Promise.all([get(), get(), get()])).toEqual(Array(3).fill(long.slice(5, 7)));
      expect(backend.asked).toHaveLength(asked);
    }
  });

  test("that comes back as private to clients who waited for it leaves no file open", async (context) => {
    if (process.platform !== "linux") context.skip("needs /proc");
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-slices-"));
    const backend = ranged(long.repeat(20));
    const onDisk = { sign: "diskCacher", cacher: `.folder = "${folder.path}"` };
    {
      await using site = await cachedSite(backend.handle, ".sliceSize = 100K", onDisk);
      const get = () => site.get("/", { range: "bytes=5-6" });
      await expect.poll(async () => (await get()).headers["cache-status"]).toContain("hit");
      site.wait(61);
      backend.control = "no-cache";
      backend.asked.length = 0;
      const gate = Promise.withResolvers<void>();
      backend.gate = gate.promise;
      const clients = Promise.all([get(), get(), get()]);
      // All wait for the answer to one of them.
      await pause(200);
      expect(backend.asked).toHaveLength(1);
      gate.resolve();
      expect((await clients).map(({ text }) => text)).toEqual(Array(3).fill(long.slice(5, 7)));
    }
    const files = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
    expect((await Promise.all(files)).filter((path) => path.startsWith(folder.path))).toEqual([]);
  });

  test("larger than the cacher takes is a doubt in the log", async () => {
    await using site = await cachedSite(ranged(long).handle, ".sliceSize = 8M");
    expect(site.log.join("\n")).toContain("no slice can be stored");
  });
});
