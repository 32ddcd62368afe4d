import { Buffer } from "node:buffer";
import { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { connectPair } from "../testing/socket-pair.ts";
import { FrameOutput } from "./frame-output.ts";
import { defaultWindow } from "./frames.ts";

/** A socket that takes nothing of what it is given. */
class StuckSocket extends Socket {
  readonly writes: string[] = [];

  override _write(chunk: Buffer): void {
    this.writes.push(chunk.toString("latin1"));
  }
}

function makeOutput(): { readonly socket: StuckSocket; readonly output: FrameOutput } {
  const socket = new StuckSocket();
  return { socket, output: new FrameOutput(socket) };
}

/** In bytes: what a write carries at most. */
const block = 112 * 1024;

test("what is laid out in one turn shares a write", async () => {
  const { socket, output } = makeOutput();
  output.write(Buffer.from("ab"));
  output.write(Buffer.from("cd"));
  expect(socket.writes).toEqual([]);
  await turn();
  expect(socket.writes).toEqual(["abcd"]);
});

test("what fills a block is written before the turn ends, and blocks the connection until it is taken", () => {
  const { socket, output } = makeOutput();
  output.write(Buffer.alloc(block, "a"));
  output.write(Buffer.from("b"));
  expect(socket.writes.map(({ length }) => length)).toEqual([block]);
  expect(output.isBlocked).toBe(true);
  expect(output.backlog).toBe(block + 1);
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

test("a block is free once TLS has encrypted it, and not while the system or another write keeps it", async () => {
  for (const transport of ["TCP", "TLS"] as const) {
    await using pair = await connectPair(transport);
    const output = new FrameOutput(pair.accepted);
    const blocks = Array.from("abcd", (letter) => {
      output.write(Buffer.alloc(block, letter));
      const { bytes } = output;
      output.flush();
      return bytes;
    });
    expect(new Set(blocks).size).toBe(transport === "TLS" ? 3 : 4);
    expect(blocks[0] === blocks[1]).toBe(transport === "TLS");
    let received = "";
    for await (const piece of pair.client as AsyncIterable<Buffer>) {
      received += piece.toString("latin1");
      if (received.length === 4 * block) break;
    }
    expect(received.replaceAll(/(.)\1*/g, (run, letter) => `${letter}${run.length} `)).toBe(
      Array.from("abcd", (letter) => `${letter}${block} `).join(""),
    );
  }
});
