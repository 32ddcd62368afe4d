import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { mkdtempDisposable, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { Descriptor } from "./descriptor.ts";
import { StreamSink } from "./stream-sink.ts";

const temporary = () => mkdtempDisposable(join(tmpdir(), "hemi-descriptor-"));

/** A sink that notes what it tells of itself. */
function sinkTo(fd: number, maxBuffer?: number) {
  const failures: string[] = [];
  const lost: number[] = [];
  const sink = new StreamSink({
    destination: new Descriptor(fd),
    maxBuffer,
    noteFailure: (error) => failures.push(String(error)),
    noteLost: { elsewhere: (count) => lost.push(count) },
  });
  return { sink, failures, lost };
}

/** Both ends of a pipe; whoever writes to `inlet` waits for its reader. */
async function pipeIn(folder: string) {
  const path = join(folder, "pipe");
  await promisify(execFile)("mkfifo", [path]);
  const outlet = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const inlet = openSync(path, "w");
  return {
    inlet,
    /** All that is in it now. */
    read(): string {
      const bytes = Buffer.alloc(1024 * 1024);
      let size = 0;
      try {
        for (let more = 1; more > 0; size += more) more = readSync(outlet, bytes, size, bytes.length - size, null);
      } catch {
        // It is empty.
      }
      return bytes.toString("latin1", 0, size);
    },
    closeOutlet: () => closeSync(outlet),
  };
}

/** Larger than a piece of a pipe, each, now and then. */
function linesOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name} ${i} ${"x".repeat(i % 50 === 0 ? 10_000 : i % 100)}.\n`);
}

test("a pipe whose reader has stopped holds no thread, and its lines come whole and in order once it goes on", async () => {
  await using dir = await temporary();
  const { inlet, read, closeOutlet } = await pipeIn(dir.path);
  // More than there are threads for files.
  const names = ["a", "b", "c", "d", "e", "f"];
  const sinks = names.map((name) => ({ name, ...sinkTo(inlet) }));
  for (const { name, sink } of sinks) for (const line of linesOf(name, 500)) sink.write(line);
  await stat(dir.path);
  let text = "";
  const flushed = Promise.all(sinks.map(({ sink }) => sink.flush())).then(() => true);
  const turn = () => new Promise<false>((resolve) => setImmediate(resolve, false));
  while (!(await Promise.race([flushed, turn()]))) text += read();
  text += read();
  await Promise.all(sinks.map(({ sink }) => sink.close()));
  const lines = text.split(/(?<=\n)/);
  for (const { name, failures, lost } of sinks) {
    expect({ failures, lost }).toEqual({ failures: [], lost: [] });
    expect(lines.filter((line) => line.startsWith(name))).toEqual(linesOf(name, 500));
  }
  expect(lines).toHaveLength(500 * names.length);
  closeSync(inlet);
  closeOutlet();
});

test("a pipe whose reader has stopped costs lines beyond the bound, which are counted", async () => {
  await using dir = await temporary();
  const { inlet, read, closeOutlet } = await pipeIn(dir.path);
  const { sink, lost } = sinkTo(inlet, 100_000);
  for (let i = 0; i < 100; i++) {
    sink.write(`${i} ${"x".repeat(5000)}\n`);
    await stat(dir.path);
  }
  sink.flushSync(0);
  await sink.close();
  const written = read().split("\n").length - 1;
  expect(written).toBeGreaterThan(0);
  expect(written + lost.reduce((sum, count) => sum + count, 0)).toBe(100);
  closeSync(inlet);
  closeOutlet();
});

test("a pipe stays as blocking as it was for all others who have it", async () => {
  await using dir = await temporary();
  const { inlet, read, closeOutlet } = await pipeIn(dir.path);
  const flags = () => readFileSync(`/proc/self/fdinfo/${inlet}`, "utf8");
  const before = flags();
  const { sink } = sinkTo(inlet);
  sink.write("line\n");
  await sink.flush();
  expect(flags()).toBe(before);
  await sink.close();
  writeSync(inlet, "and another\n");
  expect(read()).toBe("line\nand another\n");
  closeSync(inlet);
  closeOutlet();
});

test("a pipe that nobody reads any more is told, once", async () => {
  await using dir = await temporary();
  const { inlet, closeOutlet } = await pipeIn(dir.path);
  const { sink, failures } = sinkTo(inlet);
  closeOutlet();
  for (const line of linesOf("a", 3)) {
    sink.write(line);
    await sink.flush();
  }
  await sink.close();
  expect(failures).toEqual([expect.stringContaining("EPIPE")]);
  closeSync(inlet);
});

test("a flush to a pipe that is read slowly comes to its end, though nothing else keeps the process", async () => {
  await using dir = await temporary();
  const { inlet, read, closeOutlet } = await pipeIn(dir.path);
  const source = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
  const program = `
    const { StreamSink } = await import(${source("./stream-sink.ts")});
    const { Descriptor } = await import(${source("./descriptor.ts")});
    const sink = new StreamSink({ destination: new Descriptor(1), noteFailure() {} });
    for (let i = 0; i < 500; i++) sink.write(i + " " + "x".repeat(1000) + "\\n");
    await sink.flush();`;
  const args = ["--conditions=@hemi/source", "--input-type=module", "--eval", program];
  const child = spawn(process.execPath, args, { stdio: ["ignore", inlet, "inherit"] });
  const exited = once(child, "exit");
  const turn = () => new Promise<undefined>((resolve) => setImmediate(resolve, undefined));
  let text = "";
  let exit: unknown;
  while ((exit = await Promise.race([exited, turn()])) === undefined) text += read();
  text += read();
  expect(exit).toEqual([0, null]);
  expect(text.match(/^\d+/gm)).toEqual(Array.from({ length: 500 }, (_, i) => String(i)));
  closeSync(inlet);
  closeOutlet();
});

test("a file that others write to as well keeps their lines and ours", async () => {
  await using dir = await temporary();
  const path = join(dir.path, "file");
  // As the shell opens it for `hemi serve > file 2>&1`.
  const fd = openSync(path, "w");
  const [one, other] = [sinkTo(fd), sinkTo(fd)];
  let text = "";
  for (let i = 0; i < 20; i++) {
    for (const { sink } of [one, other]) {
      sink.write(`${i}\n`);
      await sink.flush();
      text += `${i}\n`;
    }
    writeSync(fd, `another ${i}\n`);
    text += `another ${i}\n`;
  }
  await Promise.all([one.sink.close(), other.sink.close()]);
  expect(await readFile(path, "utf8")).toBe(text);
  closeSync(fd);
});

test("a file gets all lines of those who write to it at the same time, whole", async () => {
  await using dir = await temporary();
  const path = join(dir.path, "file");
  const fd = openSync(path, "w");
  const names = ["a", "b", "c"];
  const sinks = names.map((name) => ({ name, ...sinkTo(fd) }));
  for (const { name, sink } of sinks) for (const line of linesOf(name, 500)) sink.write(line);
  await Promise.all(sinks.map(({ sink }) => sink.close()));
  const lines = (await readFile(path, "utf8")).split(/(?<=\n)/);
  for (const name of names) expect(lines.filter((line) => line.startsWith(name))).toEqual(linesOf(name, 500));
  closeSync(fd);
});
