import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdir,
  mkdtempDisposable,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { cachedSite, type CachedSiteOptions } from "../../../testing/cached-site.ts";
import { cacherTests } from "../../../testing/cacher-tests.ts";
import { linkedWorkers } from "../../../testing/linked-workers.ts";
import type { HandletPart } from "../../kinds.ts";
import type { Request } from "../../request/request.ts";
import type { Response } from "../../response/response.ts";
import type { Wobject } from "../wobject.ts";

const newFolder = () => mkdtempDisposable(join(tmpdir(), "hemi-cache-"));

/** Answers with its path so many times, and a tag. */
const pages =
  (repeat = 1) =>
  (req: Request, resp: Response): true => {
    resp.setHeader("cache-control", "max-age=600");
    resp.setHeader("cache-tag", "page");
    resp.send(req.path.repeat(repeat));
    return true;
  };

function siteIn(folder: string, origin: HandletPart["handle"] = pages(), props = "", more: CachedSiteOptions = {}) {
  return cachedSite(origin, "", { sign: "diskCacher", cacher: `.folder = "${folder}" ${props}`, ...more });
}

/** Looks again if a folder that it had found is gone: cachers evict at any time. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const found = readdir(join(folder, "objects"), { recursive: true, withFileTypes: true });
  const entries = await found.catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (entries === undefined) return await filesIn(folder);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function makeCacher() {
  const folder = await newFolder();
  const site = await siteIn(folder.path, pages(), ".maxSize = 8M .maxWobjectSize = 1M");
  return {
    cacher: site.cacher,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test.each(cacherTests(makeCacher))("$name", ({ run }) => run());

// Small content is in memory when it is sent, large content is not.
describe.each([
  ["small", 1],
  ["large", 100_000],
])("a stored response with %s content", (_, repeat) => {
  test("is there after a restart, with its tags, whole and in ranges", async () => {
    await using folder = await newFolder();
    {
      await using site = await siteIn(folder.path, pages(repeat));
      await site.get("/abc");
    }
    await using site = await siteIn(folder.path);
    expect((await site.get("/abc")).text === "/abc".repeat(repeat)).toBe(true);
    expect(await site.get("/abc", { range: "bytes=1-2" })).toMatchObject({ status: 206, text: "ab" });
    expect(site.asked()).toBe(0);
    expect(await site.cache.purge({ tag: "page" })).toBe(1);
    await site.get("/abc");
    expect(site.asked()).toBe(1);
  });

  test("that was cut is removed, and fetched anew", async () => {
    await using folder = await newFolder();
    {
      await using site = await siteIn(folder.path, pages(repeat));
      await site.get("/abc");
    }
    const [file = ""] = await filesIn(folder.path);
    await truncate(file, Math.floor((await stat(file)).size / 2));
    await using site = await siteIn(folder.path, pages(repeat));
    expect((await site.get("/abc")).text === "/abc".repeat(repeat)).toBe(true);
    expect(site.asked()).toBe(1);
    expect(site.log.join("\n")).toContain("was cut or changed by others");
  });

  test("that others have changed is never sent as if it were whole", async () => {
    await using folder = await newFolder();
    {
      await using site = await siteIn(folder.path, pages(repeat));
      await site.get("/abc");
    }
    const [file = ""] = await filesIn(folder.path);
    const bytes = await readFile(file);
    bytes.write("evil", 0);
    await writeFile(file, bytes);
    await using site = await siteIn(folder.path, pages(repeat));
    const first = site.get("/abc");
    if (repeat === 1) expect((await first).text).toBe("/abc");
    else await expect(first).rejects.toMatchObject({ code: "HEMI_PEER_GONE" });
    await expect.poll(async () => (await site.get("/abc")).text === "/abc".repeat(repeat)).toBe(true);
  });

  test("that others have removed is fetched anew", async () => {
    await using folder = await newFolder();
    await using site = await siteIn(folder.path, pages(repeat));
    await site.get("/abc");
    for (const file of await filesIn(folder.path)) await rm(file);
    await site.cacher.lookup("another");
    await expect.poll(async () => (await site.get("/abc")).status).toBe(200);
    await expect.poll(() => filesIn(folder.path)).toHaveLength(1);
  });
});

test("what one worker stores, validates and purges, the others see", async () => {
  await using folder = await newFolder();
  const [one, two] = linkedWorkers(2);
  if (one === undefined || two === undefined) throw new Error("two workers are needed");
  await using first = await siteIn(folder.path, pages(), "", { workers: one });
  await using second = await siteIn(folder.path, pages(), "", { workers: two });
  for (let i = 0; i < 20; i++) await Promise.all([first.get(`/a${i}`), second.get(`/b${i}`)]);
  for (let i = 0; i < 20; i++) await Promise.all([first.get(`/b${i}`), second.get(`/a${i}`)]);
  expect([first.asked(), second.asked()]).toEqual([20, 20]);
  expect(await second.cache.purge({ prefix: "http://a.example/a" }, { isDryRun: true })).toBe(20);
  await second.cache.purge({ tag: "page" });
  expect(await filesIn(folder.path)).toEqual([]);
  await first.get("/b0");
  expect(first.asked()).toBe(21);
});

test("a full cacher stores on, and evicts what was not asked for the longest time", async () => {
  await using folder = await newFolder();
  await using site = await siteIn(folder.path, pages(1000), ".maxSize = 64K");
  for (let i = 10; i < 40; i++) await site.get(`/${i}`);
  const kept = async () => (await filesIn(folder.path)).length;
  await expect.poll(kept, { timeout: 5000 }).toBeLessThanOrEqual(9);
  expect(await kept()).toBeGreaterThan(2);
  const asked = site.asked();
  await site.get("/39");
  expect(site.asked()).toBe(asked);
});

test("the index is made anew from the files if it is lost", async () => {
  await using folder = await newFolder();
  {
    await using site = await siteIn(folder.path);
    for (const path of ["/a", "/b"]) await site.get(path);
  }
  for (const name of await readdir(folder.path)) {
    if (name.startsWith("index-")) await rm(join(folder.path, name));
  }
  await using site = await siteIn(folder.path);
  expect((await site.get("/a")).text).toBe("/a");
  expect(site.asked()).toBe(0);
  expect(await site.cache.purge({ tag: "page" })).toBe(2);
  expect(await filesIn(folder.path)).toEqual([]);
});

test("a folder that others have removed is made anew, for all workers", async () => {
  await using folder = await newFolder();
  const [one, two] = linkedWorkers(2);
  if (one === undefined || two === undefined) throw new Error("two workers are needed");
  const path = join(folder.path, "cache");
  await using first = await siteIn(path, pages(), "", { workers: one });
  await using second = await siteIn(path, pages(), "", { workers: two });
  await first.get("/abc");
  await storedIn(first);
  await rename(path, `${path}-removed`);
  for (const { log } of [first, second]) {
    await expect.poll(() => log.join("\n"), { timeout: 5000 }).toContain("was removed by others, and is made anew");
  }
  await first.get("/abc");
  await storedIn(first);
  await second.get("/abc");
  expect(second.asked()).toBe(0);
  expect(await second.cache.purge({ tag: "page" }, { isDryRun: true })).toBe(1);
  await second.cache.purge({ tag: "page" });
  expect(await filesIn(path)).toEqual([]);
});

test("two cachers cannot have one folder, and a folder that cannot be used is told at its prop", async () => {
  await using folder = await newFolder();
  const beside = `diskCacher "d" { .folder = "${folder.path}" }`;
  await expect(siteIn(folder.path, pages(), "", { beside })).rejects.toThrow("the folder");
  const file = join(folder.path, "file");
  await writeFile(file, "");
  await expect(siteIn(file)).rejects.toThrow("cannot be used");
});

const program = (name: string) => fileURLToPath(new URL(`../../../testing/${name}.ts`, import.meta.url));

test("a program that is killed while it writes leaves whole responses only", { timeout: 60_000 }, async () => {
  await using folder = await newFolder();
  const child = spawn(process.execPath, ["--conditions=@hemi/source", program("store-until-killed"), folder.path], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  using _program = { [Symbol.dispose]: () => child.kill("SIGKILL") };
  await expect.poll(() => filesIn(folder.path).catch(() => []), { timeout: 50_000 }).toHaveProperty("39");
  child.kill("SIGKILL");
  await once(child, "close");
  await using site = await siteIn(folder.path, pages(0));
  const before = await filesIn(folder.path);
  expect(before.length).toBeGreaterThanOrEqual(20);
  // All that is stored is whole.
  let stored = 0;
  for (let i = 0; stored < before.length; i++) {
    const path = `/${Math.floor(i / 10)}/${i % 10}`;
    const [wobject] = await site.cacher.lookup(`http://a.example${path}`);
    if (wobject === undefined) continue;
    stored++;
    expect((await site.get(path)).text === `${path} `.repeat(20_000)).toBe(true);
  }
  await expect.poll(() => readdir(join(folder.path, "writing"))).toEqual([]);
  expect(await site.cache.purge("all")).toBe(before.length);
  expect(site.log.filter((line) => line.includes("cut or changed"))).toEqual([]);
});

test("what does not fit on a full disk is served all the same, and said in the log", { timeout: 60_000 }, async () => {
  await using folder = await newFolder();
  const command = `ulimit -f 500; exec "${process.execPath}" --conditions=@hemi/source "${program("store-on-full-disk")}" "${folder.path}"`;
  const child = spawn("bash", ["-c", command], { stdio: ["ignore", "pipe", "inherit"] });
  const output = await text(child.stdout);
  expect(output).toContain("200 800000\n200 800000\n");
  expect(output).toContain("responses cannot be stored on disk");
  expect(await filesIn(folder.path)).toEqual([]);
  expect(await readdir(join(folder.path, "writing"))).toEqual([]);
});

test("what a killed process was writing goes, even if another one has its number, and nothing of others does", async () => {
  await using folder = await newFolder();
  const writing = join(folder.path, "writing");
  await mkdir(join(writing, "notes"), { recursive: true });
  const hourAgo = Date.now() / 1000 - 3600;
  for (const name of [`${process.pid}-old`, `${process.pid}-new`, "list"]) await writeFile(join(writing, name), "x");
  for (const name of [`${process.pid}-old`, "list"]) await utimes(join(writing, name), hourAgo, hourAgo);
  await using site = await siteIn(folder.path);
  await expect.poll(() => readdir(writing)).toEqual(expect.not.arrayContaining([`${process.pid}-old`]));
  expect(new Set(await readdir(writing))).toEqual(new Set([`${process.pid}-new`, "list", "notes"]));
  expect(site.log.filter((line) => line.includes("cannot be tended"))).toEqual([]);
});

/** What is stored for /abc, once it is: clients have it earlier. */
async function storedIn({ cacher }: Awaited<ReturnType<typeof siteIn>>): Promise<Wobject> {
  for (;;) {
    const [stored] = await cacher.lookup("http://a.example/abc");
    if (stored !== undefined) return stored;
    await setImmediate();
  }
}

test("a stored response is found while purges come all the time", async () => {
  await using folder = await newFolder();
  await using site = await siteIn(folder.path);
  await site.get("/abc");
  await storedIn(site);
  const progress = { isFound: false };
  void site.cacher.purge({ url: "http://a.example/other" });
  const found = Promise.resolve(site.cacher.lookup("http://a.example/abc")).finally(() => (progress.isFound = true));
  let purges = 0;
  for (; !progress.isFound && purges < 500; purges++) {
    void site.cacher.purge({ url: "http://a.example/other" });
    // As fast as the disk is for the lookup.
    await stat(folder.path);
  }
  expect(await found).toHaveLength(1);
  expect(purges).toBeLessThan(500);
});

test("the file of a response that is validated all the time does not grow without end", async () => {
  await using folder = await newFolder();
  await using site = await siteIn(folder.path, (req, resp) => {
    resp.setHeader("cache-control", "max-age=600");
    resp.setHeader("etag", '"a"');
    resp.setHeader("x-long", "x".repeat(4000));
    if (req.header("if-none-match") !== undefined) resp.status = 304;
    resp.send(resp.status === 304 ? undefined : "content");
    return true;
  });
  for (let i = 0; i < 30; i++) {
    expect((await site.get("/", { "cache-control": "no-cache" })).text).toBe("content");
  }
  const [file = ""] = await filesIn(folder.path);
  expect((await stat(file)).size).toBeLessThan(12_000);
  expect((await site.get("/")).headers["cache-status"]).toMatch(/hit/);
});

test("a soft purge holds for a response, however often that was validated before", async () => {
  await using folder = await newFolder();
  await using site = await siteIn(folder.path);
  await site.get("/abc");
  let wobject = await storedIn(site);
  for (let i = 0; i < 40; i++) {
    const { fieldList } = wobject.head;
    const head = { ...wobject.head, isOutdated: false, fieldList: [...fieldList, `x-${i}`, "x".repeat(100)] };
    site.cacher.freshen(wobject, head);
    expect((await storedIn(site)).head.isOutdated).toBe(false);
    expect(await site.cacher.purge({ url: head.url }, { isSoft: true })).toBe(1);
    wobject = await storedIn(site);
    expect(wobject.head.isOutdated).toBe(true);
  }
});

test("large content that was replaced is not read under the head of the one before it", async () => {
  await using folder = await newFolder();
  await using site = await siteIn(folder.path, pages(100_000));
  await site.get("/abc");
  const key = "http://a.example/abc";
  const old = await storedIn(site);
  const writer = site.cacher.begin(key);
  writer.write(Buffer.alloc(old.source.size, "z"));
  await writer.commit(old.head);
  expect(() => old.source.open()).toThrow("was replaced by another response");
  site.cacher.freshen(old, old.head);
  expect((await site.get("/abc")).text === "z".repeat(old.source.size)).toBe(true);
});

test.each([304, 503])("large content that is purged while the backend is asked is there for a %i", async (status) => {
  await using folder = await newFolder();
  const gate = Promise.withResolvers<void>();
  let isAsked = false;
  await using site = await siteIn(folder.path, async (req, resp) => {
    resp.setHeader("cache-control", "max-age=600, stale-if-error=600");
    resp.setHeader("etag", '"a"');
    if (req.header("if-none-match") === undefined) resp.send(req.path.repeat(100_000));
    else {
      isAsked = true;
      await gate.promise;
      resp.status = status;
      resp.send();
    }
    return true;
  });
  await site.get("/abc");
  await storedIn(site);
  const answer = site.get("/abc", { "cache-control": "no-cache" });
  await expect.poll(() => isAsked).toBe(true);
  await site.cache.purge("all");
  gate.resolve();
  const { status: sent, content } = await answer;
  expect([sent, content.length]).toEqual([200, 400_000]);
});
