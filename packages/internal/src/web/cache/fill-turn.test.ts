// Processes that share a cacher, and fetch in turn: here, two stages with one folder.

import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cachedSite } from "../../testing/cached-site.ts";
import type { Response } from "../response/response.ts";
import { fillTurn } from "./fill-turn.ts";

async function twoSites(control: string, settings = "") {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-fill-"));
  const gate = Promise.withResolvers<void>();
  let asked = 0;
  const origin = async (_req: unknown, resp: Response): Promise<boolean> => {
    const number = ++asked;
    await gate.promise;
    resp.setHeader("cache-control", control);
    resp.send(`answer ${number}`);
    return true;
  };
  const make = () =>
    cachedSite(origin, `.withLock = "locks" ${settings}`, {
      sign: "diskCacher",
      cacher: `.folder = "${folder.path}/cache"`,
      beside: `sqliteLocks "locks" { .file = "${folder.path}/locks.sqlite" }`,
    });
  const sites = [await make(), await make()] as const;
  return {
    sites,
    open: gate.resolve,
    asked: () => asked,
    /** Both, several times at once. */
    ask: () => [...sites, ...sites, ...sites].map((site) => site.get("/")),
    async [Symbol.asyncDispose]() {
      for (const site of sites) await site[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test("of two processes with one cacher and locks, one fetches for the clients of both", async () => {
  await using sites = await twoSites("max-age=60", ".lockWait = 10m");
  const answers = sites.ask();
  await expect.poll(sites.asked).toBe(1);
  sites.open();
  const all = await Promise.all(answers);
  expect(new Set(all.map(({ text }) => text))).toEqual(new Set(["answer 1"]));
  expect(all.map(({ headers }) => headers["cache-status"])).toContain("Hemi; fwd=uri-miss; collapsed");
  expect(sites.asked()).toBe(1);
});

test("a reload gets nothing that another process has stored before it came", async () => {
  await using sites = await twoSites("max-age=60", ".lockWait = 10m");
  const [first, second] = sites.sites;
  const fetched = first.get("/");
  await expect.poll(sites.asked).toBe(1);
  const waiting = second.get("/");
  sites.open();
  await fetched;
  const stored = async () => await first.cacher.lookup("http://a.example/");
  await expect.poll(stored, { interval: 1 }).toHaveLength(1);
  const reloaded = await second.get("/", { "cache-control": "no-cache" });
  expect(reloaded.text).toBe("answer 2");
  expect((await waiting).text).toMatch(/^answer [12]$/);
});

test("a response that must not be stored keeps no other process waiting", async () => {
  await using sites = await twoSites("private", ".lockWait = 10m");
  const answers = sites.ask();
  sites.open();
  const all = await Promise.all(answers);
  expect(new Set(all.map(({ text }) => text)).size).toBe(6);
});

test("a fetch that takes longer than lockWait does not keep another process waiting", async () => {
  await using sites = await twoSites("max-age=60", ".lockWait = 50ms");
  const answers = sites.ask();
  await expect.poll(sites.asked).toBe(2);
  sites.open();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(6).fill(200));
});

test("locks for a cacher that no other process sees are a doubt in the log", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-fill-"));
  await using site = await cachedSite(() => false, '.withLock = "locks"', {
    beside: `sqliteLocks "locks" { .file = "${folder.path}/locks.sqlite" }`,
  });
  expect(site.log.join("\n")).toContain("withLock has no effect");
});

test("a cacher that fails keeps no lock", async () => {
  let released = 0;
  const lock = {
    name: "fill",
    token: 1,
    signal: new AbortController().signal,
    renew: () => Promise.resolve(),
    release: () => {
      released++;
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const turn = fillTurn({
    locks: { acquireLock: () => Promise.resolve(lock) },
    name: "fill",
    wait: 1000,
    stored: () => Promise.reject(new Error("the cacher fails")),
    isOver: () => false,
  });
  await expect(turn).rejects.toThrow("the cacher fails");
  expect(released).toBe(1);
});
