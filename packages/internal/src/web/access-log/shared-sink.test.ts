import { mkdtempDisposable, readdir, readFile, readlink, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { prop } from "../../component/prop.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { defineHandlet } from "../kinds.ts";

/** Answers `/wait…` when it is told to, and all else at once. */
const waiting = new Map<string, () => void>();
const waits = defineHandlet({
  sign: "waits",
  props: { number: prop.integer({ default: 0 }) },
  create: () => ({
    async handle(req, resp) {
      if (req.path.startsWith("/wait")) await new Promise<void>((resolve) => waiting.set(req.path, resolve));
      resp.send("done");
      return true;
    },
  }),
});

interface SiteOptions {
  /** Of `accessLog`, beside its file. */
  readonly log?: string;
  /** Another one makes the webapp anew. */
  readonly root?: number;
}

function site({ log = "", root = 1 }: SiteOptions): string {
  return `stage {
    webapp "app" { .hostnames = ("*") .webRoot = "/${root}" .accessLog = ["file": "access.log" ${log}] rule { waits {} } }
    httpxServer "main" { .webapps = ("app") .address = "127.0.0.1:0" }
  }`;
}

async function logging(options: SiteOptions) {
  const dir = await mkdtempDisposable(join(tmpdir(), "hemi-shared-"));
  const log = openErrorLog({ sink: new MemorySink() });
  const stage = await bootWith([]).bootText(site(options), { log, baseDir: dir.path, use: [pack("test", [waits])] });
  await stage.start();
  const file = join(dir.path, "access.log");
  return {
    stage,
    folder: dir.path,
    reload: (options: SiteOptions) => stage.reload({ text: site(options) }),
    /** How many descriptors of this process are open on the log. */
    async descriptors() {
      const fds = await readdir("/proc/self/fd");
      const targets = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
      return targets.filter((target) => target === file).length;
    },
    /** What the log and its old files hold, by their paths. */
    async lines() {
      const names = (await readdir(dir.path)).filter((name) => name.startsWith("access.log"));
      const texts = await Promise.all(names.map((name) => readFile(join(dir.path, name), "utf8")));
      return texts
        .flatMap((text) => text.split("\n").slice(0, -1))
        .map((line) => /"GET (\S+) HTTP/.exec(line)?.[1] ?? line)
        .sort();
    },
    async [Symbol.asyncDispose]() {
      await stage.quit(1000);
      await dir[Symbol.asyncDispose]();
    },
  };
}

test("a webapp that a reload makes anew writes to the log file that the one before it has open", async () => {
  await using app = await logging({});
  const held = app.stage.inject({ url: "/wait" });
  await expect.poll(() => waiting.has("/wait")).toBe(true);
  const { departed } = await app.reload({ root: 2 });
  await app.stage.inject({ url: "/new" });
  expect(await app.descriptors()).toBe(1);
  waiting.get("/wait")?.();
  waiting.clear();
  expect((await held).status).toBe(200);
  await departed;
  expect(await app.descriptors()).toBe(1);
  await app.stage.quit();
  expect(await app.lines()).toEqual(["/new", "/wait"]);
  expect(await app.descriptors()).toBe(0);
});

test("two generations of a webapp rotate their log together, and lose no line", async () => {
  await using app = await logging({ log: ', "maxSize": 4K, "keep": 100' });
  const paths: string[] = [];
  const held = [1, 2, 3].map((number) => app.stage.inject({ url: `/wait${number}` }));
  await expect.poll(() => waiting.size).toBe(3);
  for (let root = 2; root <= 4; root++) {
    await app.reload({ root, log: ', "maxSize": 4K, "keep": 100' });
    for (let i = 0; i < 200; i++) paths.push(`/${root}-${i}`);
    await Promise.all(paths.slice(-200).map((url) => app.stage.inject({ url })));
  }
  for (const [path, answer] of waiting) {
    answer();
    paths.push(path);
  }
  waiting.clear();
  await Promise.all(held);
  await app.stage.quit();
  expect(await app.lines()).toEqual(paths.sort());
  const old = (await readdir(app.folder)).filter((name) => name.startsWith("access.log."));
  expect(old.length).toBeGreaterThan(5);
  for (const name of old) expect((await stat(join(app.folder, name))).size).toBeLessThanOrEqual(4096);
});

test("the log of a reload that fails goes on with the rotation that it had", async () => {
  await using app = await logging({ log: ', "maxSize": 4K, "keep": 100' });
  const bad = site({ root: 2, log: ', "maxSize": 1G' }).replace("rule {", 'rule { .errorPages = ["700": "/x"]');
  await expect(app.stage.reload({ text: bad })).rejects.toThrow("700");
  const taken = site({ root: 2, log: ', "maxSize": 1G' }).replace(
    "}\n  }",
    '}\nhttpxServer "x" { .webapps = ("app") .address = "192.0.2.1:80" } }',
  );
  await expect(app.stage.reload({ text: taken })).rejects.toThrow("192.0.2.1");
  expect(await app.descriptors()).toBe(1);
  await Promise.all(Array.from({ length: 200 }, (_, i) => app.stage.inject({ url: `/${i}` })));
  await app.stage.quit();
  expect((await readdir(app.folder)).length).toBeGreaterThan(2);
});

test("a format of other characters than ASCII may join one that has none, and leave again", async () => {
  await using app = await logging({});
  await app.stage.inject({ url: "/one" });
  await app.reload({ root: 2, log: ', "format": "äö€" + $path' });
  await app.stage.inject({ url: "/two" });
  await app.reload({ root: 3 });
  await app.stage.inject({ url: "/three" });
  await app.stage.quit();
  expect(await app.lines()).toEqual(["/one", "/three", "äö€/two"]);
});
