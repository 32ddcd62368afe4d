// What a diskCacher makes of errors of the system.

import type * as fs from "node:fs";
import type * as promises from "node:fs/promises";
import { mkdtempDisposable, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, test, vi } from "vitest";
import { cachedSite } from "../../../testing/cached-site.ts";
import type { Request } from "../../request/request.ts";
import type { Response } from "../../response/response.ts";

/**
 * What fails with EIO, and `opens` with EMFILE; what the next write to a file that is there waits for, and what
 * removals wait for.
 */
const failing = vi.hoisted(() => ({
  firstBytes: false,
  writes: false,
  removals: false,
  opens: false,
  gate: undefined as Promise<void> | undefined,
  removalGate: undefined as Promise<void> | undefined,
}));

const brokenDisk = vi.hoisted(() => () => Object.assign(new Error("EIO: i/o error"), { code: "EIO" }));

const tooManyFiles = vi.hoisted(() => () => Object.assign(new Error("EMFILE: too many files"), { code: "EMFILE" }));

vi.mock("node:fs", async (original) => {
  const real = await original<typeof fs>();
  const [read, write, writev] = [promisify(real.read), promisify(real.write), promisify(real.writev)];
  const open = promisify(real.open);
  /** The core uses them as promises. */
  const promising = (call: (...args: never[]) => Promise<unknown>) => ({ [promisify.custom]: call });
  return {
    ...real,
    open: Object.assign(real.open.bind(undefined), {
      ...promising((...args: Parameters<typeof open>) => {
        return failing.opens ? Promise.reject(tooManyFiles()) : open(...args);
      }),
    }),
    read: Object.assign(real.read.bind(undefined), {
      ...promising((fd: number, bytes: Buffer, offset: number, length: number, position: number | null) => {
        const isFailing = failing.firstBytes && position === 0;
        return isFailing ? Promise.reject(brokenDisk()) : read(fd, bytes, offset, length, position);
      }),
    }),
    write: Object.assign(real.write.bind(undefined), {
      ...promising(async (...args: Parameters<typeof write>) => {
        const { gate } = failing;
        failing.gate = undefined;
        await gate;
        return await write(...args);
      }),
    }),
    writev: Object.assign(real.writev.bind(undefined), {
      ...promising((...args: Parameters<typeof writev>) => {
        return failing.writes ? Promise.reject(brokenDisk()) : writev(...args);
      }),
    }),
  };
});

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof promises>();
  const unlink: typeof promises.unlink = async (path) => {
    await failing.removalGate;
    if (failing.removals) throw brokenDisk();
    await real.unlink(path);
  };
  return { ...real, unlink };
});

afterEach(() => {
  Object.assign(failing, { firstBytes: false, writes: false, removals: false, opens: false });
  Object.assign(failing, { gate: undefined, removalGate: undefined });
});

async function siteIn(folder: string, size: number, props = "") {
  const answer = (req: Request, resp: Response): true => {
    resp.setHeader("cache-control", "max-age=600");
    resp.send(req.path.padEnd(size, "x"));
    return true;
  };
  return await cachedSite(answer, "", { sign: "diskCacher", cacher: `.folder = "${folder}" ${props}` });
}

const newFolder = () => mkdtempDisposable(join(tmpdir(), "hemi-failures-"));
const stored = async (site: Awaited<ReturnType<typeof siteIn>>, path = "/a") => {
  return (await site.cacher.lookup(`http://a.example${path}`)).length;
};

test("content that cannot be read is a miss, is told once, and is fetched anew", async () => {
  await using folder = await newFolder();
  {
    await using site = await siteIn(folder.path, 10_000);
    await site.get("/a");
  }
  await using site = await siteIn(folder.path, 10_000);
  failing.firstBytes = true;
  failing.removals = true;
  const before = async () => {
    for (let i = 0; i < 3; i++) expect(await stored(site)).toBe(0);
    return (await site.get("/a")).text.length;
  };
  expect(await before()).toBe(10_000);
  failing.firstBytes = false;
  failing.removals = false;
  expect((await site.get("/a")).status).toBe(200);
  expect(site.log.filter((line) => line.includes("cannot be read"))).toHaveLength(1);
  expect(site.log.join("\n")).toContain("EIO");
});

test("large content that cannot be read breaks off once, and is fetched anew", async () => {
  await using folder = await newFolder();
  {
    await using site = await siteIn(folder.path, 200_000);
    await site.get("/a");
  }
  await using site = await siteIn(folder.path, 200_000);
  failing.firstBytes = true;
  await expect(site.get("/a")).rejects.toMatchObject({ code: "HEMI_PEER_GONE" });
  expect(site.asked()).toBe(0);
  failing.firstBytes = false;
  await expect.poll(async () => (await site.get("/a")).content.length).toBe(200_000);
  expect(site.asked()).toBe(1);
  expect(site.log.filter((line) => line.includes("cannot be read"))).toHaveLength(1);
});

test("a disk that takes nothing is told once, and once that it takes something again", async () => {
  await using folder = await newFolder();
  await using site = await siteIn(folder.path, 10);
  failing.writes = true;
  for (let i = 0; i < 5; i++) expect((await site.get(`/${i}`)).status).toBe(200);
  const told = (text: string) => site.log.filter((line) => line.includes(text)).length;
  await expect.poll(() => told("responses cannot be stored on disk")).toBe(1);
  failing.writes = false;
  for (let i = 0; i < 5; i++) await site.get(`/${i}`);
  await expect.poll(() => told("responses are stored on disk again")).toBe(1);
  expect(told("responses cannot be stored on disk")).toBe(1);
});

test.each([{ url: "http://a.example/a" }, { prefix: "http://a.example/" }, "all"] as const)(
  "a purge of %j whose files cannot be removed fails, and a later one finds them",
  async (selector) => {
    await using folder = await newFolder();
    await using site = await siteIn(folder.path, 10);
    await site.get("/a");
    await expect.poll(() => stored(site)).toBe(1);
    failing.removals = true;
    await expect(site.cache.purge(selector)).rejects.toThrow("still on disk");
    failing.removals = false;
    expect(await site.cache.purge(selector)).toBe(1);
    expect(await stored(site)).toBe(0);
  },
);

test("a soft purge that can open no file fails, and does not leave in silence what it should make stale", async () => {
  await using folder = await newFolder();
  await using site = await siteIn(folder.path, 10);
  await site.get("/a");
  await expect.poll(() => stored(site)).toBe(1);
  failing.opens = true;
  await expect(site.cache.purge("all", { isSoft: true })).rejects.toThrow("EMFILE");
  failing.opens = false;
  expect(await site.cache.purge("all", { isSoft: true })).toBe(1);
});

test("no lookup waits for a purge that takes long, and none finds what it is to remove", async () => {
  await using folder = await newFolder();
  await using site = await siteIn(folder.path, 10);
  for (const path of ["/a", "/b"]) {
    await site.get(path);
    await expect.poll(() => stored(site, path)).toBe(1);
  }
  const gate = Promise.withResolvers<void>();
  failing.removalGate = gate.promise;
  const purge = site.cache.purge({ prefix: "http://a.example/a" });
  expect([await stored(site, "/a"), await stored(site, "/b")]).toEqual([0, 1]);
  expect((await site.get("/a")).headers["cache-status"]).toBe("Hemi; fwd=uri-miss; stored");
  gate.resolve();
  await purge;
  expect(await stored(site, "/b")).toBe(1);
});

test("a purge that takes long holds for lookups in a cacher that a reload puts in place of its own", async () => {
  await using folder = await newFolder();
  await using site = await siteIn(folder.path, 10);
  await site.get("/a");
  await expect.poll(() => stored(site)).toBe(1);
  const gate = Promise.withResolvers<void>();
  failing.removalGate = gate.promise;
  const purge = site.cache.purge("all");
  await site.reload(".memory = 8M");
  expect((await site.get("/a")).headers["cache-status"]).toBe("Hemi; fwd=uri-miss; stored");
  gate.resolve();
  await purge;
});

test("what a soft purge is to make stale is stale from its begin on", async () => {
  await using folder = await newFolder();
  await using site = await siteIn(folder.path, 10);
  await site.get("/a");
  await expect.poll(() => stored(site)).toBe(1);
  const gate = Promise.withResolvers<void>();
  failing.gate = gate.promise;
  const purge = site.cache.purge("all", { isSoft: true });
  const [found] = await site.cacher.lookup("http://a.example/a");
  expect(found?.head.isOutdated).toBe(true);
  gate.resolve();
  expect(await purge).toBe(1);
});

test("an index that is made anew while no file can be opened loses none of them", async () => {
  await using folder = await newFolder();
  {
    await using site = await siteIn(folder.path, 10);
    await site.get("/a");
    await expect.poll(() => stored(site)).toBe(1);
  }
  for (const name of await readdir(folder.path)) {
    if (name.startsWith("index-")) await rm(join(folder.path, name));
  }
  failing.opens = true;
  await using site = await siteIn(folder.path, 10);
  await expect.poll(() => site.log.join("\n")).toContain("cannot be tended");
  // Nobody knows what is there: a purge that may miss something says so.
  await expect(site.cache.purge("all")).rejects.toThrow("EMFILE");
  failing.opens = false;
  await expect.poll(() => stored(site)).toBe(1);
  await expect.poll(() => site.log.join("\n")).toContain("is tended again");
  expect(await site.cache.purge("all")).toBe(1);
});

test("eviction goes on with others where files cannot be removed", async () => {
  await using folder = await newFolder();
  await using site = await siteIn(folder.path, 1000, ".maxSize = 64K");
  failing.removals = true;
  for (let i = 0; i < 30; i++) await site.get(`/${i}`);
  const told = (text: string) => site.log.filter((line) => line.includes(text)).length;
  await expect.poll(() => told("cannot be tended"), { timeout: 5000 }).toBe(1);
  failing.removals = false;
  const files = async () => {
    const names = await readdir(join(folder.path, "objects"), { recursive: true, withFileTypes: true });
    return names.filter((entry) => entry.isFile()).length;
  };
  await expect.poll(files, { timeout: 5000 }).toBeLessThanOrEqual(12);
  await expect.poll(() => told("is tended again"), { timeout: 5000 }).toBe(1);
  expect(told("cannot be tended")).toBe(1);
});

test("a soft purge holds for a head that a slow disk appends after it", async () => {
  await using folder = await newFolder();
  await using site = await siteIn(folder.path, 10);
  await site.get("/a");
  await expect.poll(() => stored(site)).toBe(1);
  const [wobject] = await site.cacher.lookup("http://a.example/a");
  if (wobject === undefined) throw new Error("it is stored");
  const gate = Promise.withResolvers<void>();
  failing.gate = gate.promise;
  site.cacher.freshen(wobject, { ...wobject.head, lifetime: 5000 });
  await expect.poll(() => failing.gate === undefined).toBe(true);
  await site.cacher.purge({ url: "http://a.example/a" }, { isSoft: true });
  gate.resolve();
  const [found] = await site.cacher.lookup("http://a.example/a");
  expect(found?.head).toMatchObject({ lifetime: 5000, isOutdated: true });
});
