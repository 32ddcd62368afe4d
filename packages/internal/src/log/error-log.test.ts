import { execFile } from "node:child_process";
import { mkdtempDisposable, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { openErrorLog } from "./error-log.ts";
import { MemorySink } from "./sink.ts";

const temporary = () => mkdtempDisposable(join(tmpdir(), "hemi-log-"));

test("records below the level are not written", () => {
  const sink = new MemorySink();
  const log = openErrorLog({ level: "warn", sink });
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  expect(sink.lines).toHaveLength(2);
  expect([log.enabled("info"), log.enabled("warn")]).toEqual([false, true]);
});

test("a log with a path writes it, and the one it came from does not", () => {
  const sink = new MemorySink();
  const log = openErrorLog({ sink, now: () => 0 });
  log.withPath("webapp.shop").withPath("webapp.shop/static").info("hello");
  log.info("hello");
  expect(sink.lines).toEqual([
    "1970-01-01T00:00:00.000Z info webapp.shop/static hello\n",
    "1970-01-01T00:00:00.000Z info hello\n",
  ]);
});

test("a caller never sees an exception, and the message is kept", () => {
  const broken = Object.defineProperty({}, "x", {
    enumerable: true,
    get() {
      throw new Error("no");
    },
  });
  const sink = new MemorySink();
  openErrorLog({ sink, now: () => 0 }).error("the message", broken);
  openErrorLog({ sink, now: () => NaN }).error("the message");
  expect(sink.lines).toHaveLength(2);
  expect(sink.lines.every((line) => line.includes(" error the message"))).toBe(true);
});

test("a memory sink keeps the newest lines", () => {
  const sink = new MemorySink(2);
  for (const line of ["a", "b", "c"]) sink.write(line);
  expect(sink.lines).toEqual(["b", "c"]);
});

test("a file is created with its folders, appended to, and private", async () => {
  await using dir = await temporary();
  const file = join(dir.path, "logs", "error.log");
  for (const message of ["one", "two"]) {
    const log = openErrorLog({ file, format: "json" });
    log.error(message);
    await log.close();
  }
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(["one", "two"]);
  expect((await stat(file)).mode & 0o007).toBe(0);
});

test("what was logged is in the file after a flush", async () => {
  await using dir = await temporary();
  const file = join(dir.path, "error.log");
  const log = openErrorLog({ file });
  log.error("one");
  await log.flush();
  expect(await readFile(file, "utf8")).toContain("one");
  log.error("two");
  log.flushSync();
  await log.close();
  expect(await readFile(file, "utf8")).toContain("two");
});

test("closing twice is harmless, and so is logging, flushing after it", async () => {
  await using dir = await temporary();
  const file = join(dir.path, "error.log");
  const log = openErrorLog({ file });
  await Promise.all([log.close(), log.close()]);
  log.error("late");
  await log.flush();
  log.flushSync();
  expect(await readFile(file, "utf8")).toBe("");
});

test("lines for which there is no room are dropped, counted and told", async () => {
  await using dir = await temporary();
  const file = join(dir.path, "error.log");
  const log = openErrorLog({ file, maxBuffer: 1000 });
  for (let i = 0; i < 1000; i++) log.error(`line ${i}`);
  await log.flush();
  log.error("after");
  await log.close();
  const text = await readFile(file, "utf8");
  const written = text.match(/ line \d+$/gm)?.length ?? 0;
  const dropped = [...text.matchAll(/ count=(\d+)$/gm)].reduce((sum, match) => sum + Number(match[1]), 0);
  expect(written).toBeLessThan(50);
  expect(written + dropped).toBe(1000);
  expect(text).toMatch(/ after$/m);
});

test("a file that cannot be opened is an error at once, with its name and the reason", async () => {
  await using dir = await temporary();
  expect(() => openErrorLog({ file: dir.path })).toThrow(
    expect.objectContaining({ code: "HEMI_FILE", message: expect.stringMatching(/hemi-log-.*EISDIR/) }),
  );
});

test("a FIFO without a reader does not stop the boot", async () => {
  await using dir = await temporary();
  const file = join(dir.path, "fifo");
  await promisify(execFile)("mkfifo", [file]);
  expect(() => openErrorLog({ file })).toThrow(/ENXIO/);
});

test("a full disk is told once on standard error, and does not end the process", async () => {
  const url = JSON.stringify(new URL("./error-log.ts", import.meta.url).href);
  const program = `
    const { openErrorLog } = await import(${url});
    const log = openErrorLog({ file: "/dev/full" });
    for (let i = 0; i < 5; i++) { log.error("x"); await log.flush(); }
    await log.close();
    console.log("alive");`;
  const { stdout, stderr } = await run(program);
  expect(stdout).toBe("alive\n");
  expect(stderr.match(/cannot write the error log to \/dev\/full/g)).toHaveLength(1);
});

test("standard error gets the lines, and nothing of the log keeps the process alive", async () => {
  const url = JSON.stringify(new URL("./error-log.ts", import.meta.url).href);
  const { stderr } = await run(`(await import(${url})).openErrorLog().error("hello");`);
  expect(stderr).toMatch(/^\S+ error hello\n$/);
});

function run(program: string): Promise<{ stdout: string; stderr: string }> {
  const options = ["--conditions=@hemi/source", "--input-type=module", "--eval", program];
  return promisify(execFile)(process.execPath, options);
}

test("a component can have another level than the log, and so can what stands in it", () => {
  const sink = new MemorySink();
  const log = openErrorLog({ sink, level: "info" });
  const [shop, inShop, other] = ["webapp.shop", "webapp.shop/rule.1", "webapp.shops"].map((path) => log.withPath(path));
  const written = () => {
    sink.lines.length = 0;
    for (const one of [log, shop, inShop, other]) {
      one?.debug("d");
      one?.warn("w");
    }
    return sink.lines.map((line) => line.replace(/^\S+ /, "").trim());
  };
  const before = written();
  log.setLevels([
    { path: "webapp.shop", level: "debug" },
    { path: "webapp.shop/rule.1", level: "error" },
    { path: "", level: "error" },
  ]);
  expect(shop?.enabled("debug")).toBe(true);
  expect(log.enabled("warn")).toBe(false);
  expect(written()).toHaveLength(2);
  expect(sink.lines.every((line) => line.includes("webapp.shop") && !line.includes("rule.1"))).toBe(true);
  log.setLevels([]);
  expect(written()).toEqual(before);
  expect(before).toHaveLength(4);
});

test("a listener gets each record that is written, of all components, until it ends that", () => {
  const log = openErrorLog({ sink: new MemorySink() });
  const seen: string[] = [];
  const end = log.withPath("webapp.a").follow(({ path, message }) => seen.push(`${path} ${message}`));
  log.withPath("webapp.b").warn("one");
  log.debug("too little");
  end();
  log.error("two");
  expect(seen).toEqual(["webapp.b one"]);
});
