import { execFile } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, mkdtempDisposable, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { Descriptor } from "./descriptor.ts";
import type { Destination } from "./destination.ts";
import { LogFile, type Rotation } from "./log-file.ts";
import type { LineFormat } from "./lines/line-writer.ts";
import { StreamSink } from "./stream-sink.ts";
import { writeSome, writeSomeSync } from "./write-some.ts";

const temporary = () => mkdtempDisposable(join(tmpdir(), "hemi-sink-"));

/** A sink that notes what it tells of itself. */
function sinkTo(destination: Destination, options: { maxBuffer?: number; gatherTime?: number } = {}) {
  const failures: string[] = [];
  const lost: number[] = [];
  const sink = new StreamSink({
    ...options,
    destination,
    noteFailure: (error) => failures.push(String(error)),
    noteLost: { elsewhere: (count) => lost.push(count) },
  });
  return { sink, failures, lost };
}

/** A file whose clocks stand until they are set. */
function fileWith(path: string, rotation?: Rotation) {
  const clock = { now: Date.UTC(2026, 0, 31, 23, 59), monotonic: 0 };
  const file = new LogFile({
    title: "log",
    path,
    rotation,
    now: () => clock.now,
    monotonic: () => clock.monotonic,
  });
  return { file, clock };
}

const lines = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`);

/** All that stands in the files of a log, the oldest first. */
async function everything(path: string, keep: number): Promise<string> {
  let text = "";
  for (let number = keep; number >= 1; number--) text += await readFile(`${path}.${number}`, "utf8").catch(() => "");
  return text + (await readFile(path, "utf8").catch(() => ""));
}

describe("a sink", () => {
  test("keeps what a full disk does not take, and writes it whole and in order when there is room", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    const full = openSync("/dev/full", "w");
    const room = openSync(path, "a");
    let isFull = true;
    const { failures, lost, sink } = sinkTo({
      name: path,
      get fd() {
        return isFull ? full : room;
      },
      isLost: false,
      room: Infinity,
      isDue: () => false,
      renew: () => Promise.resolve(),
      write: (bytes) => writeSome(isFull ? full : room, bytes),
      writeSync: (bytes) => writeSomeSync(isFull ? full : room, bytes),
      reopen() {},
      close: () => Promise.resolve(),
    });
    for (const line of lines(0, 3)) sink.write(line);
    await sink.flush();
    sink.write("line 3\n");
    await sink.flush();
    expect(failures).toEqual([expect.stringContaining("ENOSPC")]);
    isFull = false;
    sink.write("line 4\n");
    await sink.close();
    expect([failures.length, lost]).toEqual([1, []]);
    expect(await readFile(path, "utf8")).toBe(lines(0, 5).join(""));
    for (const fd of [full, room]) closeSync(fd);
  });

  test("counts what a disk that stays full makes it lose, at the latest when it is closed", async () => {
    const full = openSync("/dev/full", "w");
    const { failures, lost, sink } = sinkTo(new Descriptor(full), { maxBuffer: 70 });
    for (const line of lines(0, 20)) sink.write(line);
    await sink.close();
    expect([failures.length, lost.reduce((sum, count) => sum + count, 0)]).toEqual([1, 20]);
    closeSync(full);
  });

  test("tells of lost lines while the disk stays full", async () => {
    const full = openSync("/dev/full", "w");
    const { lost, sink } = sinkTo(new Descriptor(full), { maxBuffer: 70 });
    for (const line of lines(0, 20)) sink.write(line);
    await expect.poll(() => lost, { timeout: 10_000 }).toEqual([10]);
    sink.write("one more\n");
    await expect.poll(() => lost, { timeout: 10_000 }).toEqual([10, 1]);
    await sink.close();
    closeSync(full);
  });

  test("gathers lines until it is time, or until they are worth a write", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    const { sink } = sinkTo(new LogFile({ title: "log", path }), { gatherTime: 2 ** 30, maxBuffer: 4000 });
    sink.write("a\n");
    await new Promise((resolve) => setImmediate(resolve));
    expect(await readFile(path, "utf8")).toBe("");
    await sink.flush();
    expect(await readFile(path, "utf8")).toBe("a\n");
    const many = `${"b".repeat(1000)}\n`;
    sink.write(many);
    await expect.poll(() => readFile(path, "utf8")).toBe("a\n" + many);
    sink.write("c\n");
    await sink.close();
    expect(await readFile(path, "utf8")).toBe(`a\n${many}c\n`);
  });

  test("writes all of very many lines of any characters, gathered while others are written, whole and in order", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    const { sink, failures, lost } = sinkTo(fileWith(path).file, { maxBuffer: 64 * 1024 * 1024, gatherTime: 5 });
    const written: string[] = [];
    for (let i = 0; i < 60; i++) {
      for (let j = 0; j < 1000; j++) {
        const line = `line ${written.length} ${"é€😀".repeat(j % 20)}\n`;
        written.push(line);
        sink.write(line);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await sink.close();
    expect({ failures, lost }).toEqual({ failures: [], lost: [] });
    expect((await readFile(path, "utf8")) === written.join("")).toBe(true);
  });

  test("has nothing of a line whose format fails, nor of one that there is no room for", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    const { sink, lost } = sinkTo(new LogFile({ title: "log", path }), { maxBuffer: 40 });
    const format: LineFormat<string> = (entry, line) => {
      line.add("begins ");
      if (entry === "") throw new TypeError("there is no entry");
      line.addText(`${entry}\n`);
    };
    sink.writeEntry(format, "a");
    expect(() => sink.writeEntry(format, "")).toThrow("there is no entry");
    sink.writeEntry(format, "ä".repeat(20));
    sink.writeEntry(format, "ä");
    await sink.close();
    expect(await readFile(path, "utf8")).toBe("begins a\nbegins ä\n");
    expect(lost).toEqual([1]);
  });

  test("writes what was gathered at once where the process ends at once", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    const { sink } = sinkTo(new LogFile({ title: "log", path }), { gatherTime: 2 ** 30, maxBuffer: 4000 });
    sink.write("a\n");
    sink.flushSync();
    expect(await readFile(path, "utf8")).toBe("a\n");
    await sink.close();
    expect(await readFile(path, "utf8")).toBe("a\n");
  });
});

describe("what sinks hold when the process ends", () => {
  const source = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);

  /** Runs a program that has two sinks, of files beside each other; gives what is in the files. */
  async function written(act: string): Promise<string[]> {
    await using dir = await temporary();
    const paths = ["a", "b"].map((name) => join(dir.path, name));
    const program = `
      const { StreamSink } = await import(${source("./stream-sink.ts")});
      const { LogFile } = await import(${source("./log-file.ts")});
      const [a, b] = ${JSON.stringify(paths)}.map((path) => new StreamSink({
        destination: new LogFile({ title: "log", path }), gatherTime: 2 ** 30, noteLost: { elsewhere() {} }, noteFailure() {},
      }));
      for (const sink of [a, b]) sink.write("line\\n");
      ${act}`;
    const args = ["--conditions=@hemi/source", "--input-type=module", "--eval", program];
    await promisify(execFile)(process.execPath, args).catch(() => {});
    return await Promise.all(paths.map((path) => readFile(path, "utf8")));
  }

  test.each([
    ["by process.exit", "process.exit();"],
    ["by a throw that nothing catches", 'setTimeout(() => { throw new Error("on purpose"); });'],
  ])("%s is written", async (_name, act) => {
    expect(await written(act)).toEqual(["line\n", "line\n"]);
  });

  test("though one of them was closed", async () => {
    expect(await written("await a.close(); process.exit();")).toEqual(["line\n", "line\n"]);
  });
});

describe("a file that is rotated", () => {
  test("by size loses no line, splits none, and is never larger than it may be", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    const { file } = fileWith(path, { maxSize: 1000, isDaily: false, keep: 30 });
    const { sink } = sinkTo(file);
    for (let i = 0; i < 1000; i += 10) {
      for (const line of lines(i, i + 10)) sink.write(line);
      await sink.flush();
    }
    await sink.close();
    expect(await everything(path, 30)).toBe(lines(0, 1000).join(""));
    const names = await readdir(dir.path);
    expect(names.length).toBeGreaterThan(8);
    for (const name of names) expect((await readFile(join(dir.path, name), "utf8")).length).toBeLessThanOrEqual(1000);
  });

  test("by size is never larger than it may be, though very many lines wait at once, but for a line that alone is", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    await writeFile(path, "found\n");
    const { sink } = sinkTo(fileWith(path, { maxSize: 1000, isDaily: false, keep: 30 }).file);
    const large = `${"x".repeat(2000)}\n`;
    const written = [...lines(0, 500), large, ...lines(500, 1000)];
    for (const line of written) sink.write(line);
    await sink.close();
    expect(await everything(path, 30)).toBe(["found\n", ...written].join(""));
    for (const name of await readdir(dir.path)) {
      const text = await readFile(join(dir.path, name), "utf8");
      expect(text === large || text.length <= 1000).toBe(true);
      expect(text.endsWith("\n")).toBe(true);
    }
  });

  test("keeps as many old ones as it was told", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    const { sink } = sinkTo(fileWith(path, { maxSize: 10, isDaily: false, keep: 2 }).file);
    for (const line of lines(0, 6)) {
      sink.write(line);
      await sink.flush();
    }
    await sink.close();
    expect((await readdir(dir.path)).toSorted()).toEqual(["log", "log.1", "log.2"]);
    expect(await everything(path, 2)).toBe(lines(3, 6).join(""));
  });

  test("removes those that were kept when it was told to keep more, and no other file", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    const others = ["log.2026", "log.04", "log.4.gz", "log.x", "other.4", "log4"];
    for (const name of ["log.1", "log.2", "log.4", "log.1000", ...others])
      await writeFile(join(dir.path, name), "old\n");
    const { sink, failures } = sinkTo(fileWith(path, { maxSize: 10, isDaily: false, keep: 2 }).file);
    for (const line of lines(0, 2)) {
      sink.write(line);
      await sink.flush();
    }
    await sink.close();
    expect((await readdir(dir.path)).toSorted()).toEqual(["log", "log.1", "log.2", ...others].toSorted());
    expect(failures).toEqual([]);
  });

  test("by day becomes an old one with the first line of the next, in UTC", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    const { clock, file } = fileWith(path, { isDaily: true, keep: 5 });
    const { sink } = sinkTo(file);
    sink.write("old\n");
    await sink.flush();
    clock.now += 60_000;
    expect(await readdir(dir.path)).toEqual(["log"]);
    sink.write("new\n");
    await sink.close();
    expect([await readFile(`${path}.1`, "utf8"), await readFile(path, "utf8")]).toEqual(["old\n", "new\n"]);
  });

  test("by day is of the day of its first line, though it was there before, empty", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    const { clock, file } = fileWith(path, { isDaily: true, keep: 5 });
    const { sink } = sinkTo(file);
    clock.now += 60_000;
    for (const line of lines(0, 2)) {
      sink.write(line);
      await sink.flush();
    }
    await sink.close();
    expect(await readdir(dir.path)).toEqual(["log"]);
    expect(await readFile(path, "utf8")).toBe(lines(0, 2).join(""));
  });

  test("by day is seen to be old by a process that finds it", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    await writeFile(path, "old\n");
    const yesterday = new Date(Date.UTC(2026, 0, 30, 12));
    await utimes(path, yesterday, yesterday);
    const { sink } = sinkTo(fileWith(path, { isDaily: true, keep: 5 }).file);
    sink.write("new\n");
    await sink.close();
    expect([await readFile(`${path}.1`, "utf8"), await readFile(path, "utf8")]).toEqual(["old\n", "new\n"]);
  });

  test("is not rotated once more by who finds that another one has done so", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    const rotation = { maxSize: 20, isDaily: false, keep: 20 };
    const [one, other] = [fileWith(path, rotation), fileWith(path, rotation)].map(({ file }) => sinkTo(file).sink);
    for (const line of lines(0, 6)) {
      one?.write(line);
      await one?.flush();
      other?.write(`also ${line}`);
      await other?.flush();
    }
    await Promise.all([one?.close(), other?.close()]);
    const written = (await everything(path, 20)).split(/(?<=\n)/);
    expect(written.toSorted()).toEqual([...lines(0, 6), ...lines(0, 6).map((line) => `also ${line}`)].toSorted());
    // Each holds more than one line: none was put away as soon as it was made.
    expect(await readdir(dir.path)).toHaveLength(6);
  });

  test("stays as it is where it cannot be renamed, which is told once", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    await mkdir(join(`${path}.1`, "in the way"), { recursive: true });
    const { failures, sink } = sinkTo(fileWith(path, { maxSize: 10, isDaily: false, keep: 1 }).file);
    for (const line of lines(0, 4)) {
      sink.write(line);
      await sink.flush();
    }
    await sink.close();
    expect(await readFile(path, "utf8")).toBe(lines(0, 4).join(""));
    expect(failures).toHaveLength(1);
  });
});

describe("a file that others move", () => {
  test("is written to until it is reopened; then there is a new one", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "log");
    const { sink } = sinkTo(fileWith(path).file);
    sink.write("1\n");
    await sink.flush();
    await rename(path, `${path}.old`);
    sink.write("2\n");
    await sink.flush();
    sink.reopen();
    sink.write("3\n");
    await sink.close();
    expect([await readFile(`${path}.old`, "utf8"), await readFile(path, "utf8")]).toEqual(["1\n2\n", "3\n"]);
  });

  test("or delete is made anew after a second", async () => {
    await using dir = await temporary();
    const path = join(dir.path, "logs", "log");
    const { clock, file } = fileWith(path);
    const { failures, sink } = sinkTo(file);
    sink.write("1\n");
    await sink.flush();
    await rm(join(dir.path, "logs"), { recursive: true });
    clock.monotonic += 1000;
    sink.write("2\n");
    await sink.close();
    expect(await readFile(path, "utf8")).toBe("2\n");
    expect(failures).toEqual([]);
  });

  test("or delete, and where none may be made, has its lines kept until it can be", async () => {
    await using dir = await temporary();
    const folder = join(dir.path, "logs");
    const path = join(folder, "log");
    const { clock, file } = fileWith(path);
    const { failures, lost, sink } = sinkTo(file);
    await rm(folder, { recursive: true });
    await writeFile(folder, "no folder");
    clock.monotonic += 1000;
    sink.write("1\n");
    await sink.flush();
    sink.write("2\n");
    await sink.flush();
    expect(failures).toEqual([expect.stringMatching(/ENOTDIR|EEXIST/)]);
    await rm(folder);
    clock.monotonic += 1000;
    await sink.close();
    expect([await readFile(path, "utf8"), lost]).toEqual(["1\n2\n", []]);
  });
});
