import { Buffer } from "node:buffer";
import { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { FrameOutput } from "./frame-output.ts";
import { defaultWindow } from "./frames.ts";

/** A socket that takes what is written when it is told to. */
class SlowSocket extends Socket {
  /** What the system was given. */
  readonly writes: string[] = [];
  #written: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: string, written: () => void): void {
    this.writes.push(chunk.toString("latin1"));
    this.#written = written;
  }

  /** Takes what is under way. */
  takeWrite(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }
}

function makeOutput(): { readonly socket: SlowSocket; readonly output: FrameOutput } {
  const socket = new SlowSocket();
  const output = new FrameOutput(socket);
  socket.on("drain", () => output.unblocked());
  return { socket, output };
}

/** In bytes: what a write carries at most. */
const block = 80 * 1024;

test("what is laid out in one turn shares a write", async () => {
  const { socket, output } = makeOutput();
  output.write(Buffer.from("ab"));
  output.write(Buffer.from("cd"));
  expect(socket.writes).toEqual([]);
  await turn();
  expect(socket.writes).toEqual(["abcd"]);
});

test("small frames that are made while the socket takes nothing share the next write with what follows them", async () => {
  const { socket, output } = makeOutput();
  output.write(Buffer.alloc(block, "a"));
  output.write(Buffer.from("b"));
  await turn();
  expect(output.isBlocked).toBe(true);
  output.write(Buffer.from("c"));
  await turn();
  expect(socket.writes.map(({ length }) => length)).toEqual([block]);
  socket.takeWrite();
  expect(output.isBlocked).toBe(false);
  output.write(Buffer.from("d"));
  await turn();
  expect(socket.writes.slice(1)).toEqual(["bcd"]);
});

test("the last frames of a connection are written behind what the socket has not yet taken", async () => {
  const { socket, output } = makeOutput();
  output.write(Buffer.alloc(block, "a"));
  output.write(Buffer.from("goaway"));
  output.sendNow();
  socket.end();
  socket.takeWrite();
  await turn();
  expect(socket.writes.slice(1)).toEqual(["goaway"]);
});

test("what fills a block is handed to the socket though that takes nothing", async () => {
  const { socket, output } = makeOutput();
  output.write(Buffer.alloc(2 * block, "a"));
  output.write(Buffer.from("b"));
  await turn();
  expect(output.backlog).toBe(2 * block + 1);
  expect(socket.writableLength).toBe(2 * block);
});

test("content that uses up a window of 64 KiB shares one write with its heads", async () => {
  const { socket, output } = makeOutput();
  const head = Buffer.alloc(100, "h");
  for (let left = defaultWindow; left > 0; left -= 10_240) {
    output.write(head);
    output.write(Buffer.alloc(Math.min(left, 10_240), "c"));
  }
  await turn();
  expect(socket.writes).toHaveLength(1);
});
