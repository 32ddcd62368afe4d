import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { HemiError } from "../errors/hemi-error.ts";
import { Output } from "./output.ts";

interface Line {
  readonly near: Socket;
  readonly far: Socket;
}

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** The two ends of a connection. */
async function makeLine(): Promise<Line> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const near = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [[far]] = (await Promise.all([once(server, "connection"), once(near, "connect")])) as [[Socket], unknown];
  closers.push(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return { near, far };
}

/** How many pieces each socket is asked to write, and what is in them. */
function watchWrites(socket: Socket, pieces: string[]): void {
  const write = socket._write.bind(socket);
  socket._write = (chunk: Buffer | string, encoding, done): void => {
    pieces.push(Buffer.from(chunk as string, encoding).toString("latin1"));
    write(chunk, encoding, done);
  };
}

function received(far: Socket, size: number): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  let got = Buffer.alloc(0);
  const take = (chunk: Buffer): void => {
    got = Buffer.concat([got, chunk]);
    if (got.length < size) return;
    far.off("data", take);
    resolve(got);
  };
  far.on("data", take);
  return promise;
}

function gone(): HemiError {
  return new HemiError("HEMI_PEER_GONE", "gone");
}

function bytesOf(size: number, seed = size): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + seed) & 0xff));
}

describe("at the end of the turn", () => {
  test("texts and small bytes go in one write", async () => {
    const { near, far } = await makeLine();
    const pieces: string[] = [];
    watchWrites(near, pieces);
    const output = new Output(near, gone);
    output.writeText("head\r\n");
    output.writeBytes("5\r\n", Buffer.from([0x68, 0x80, 0xff, 0x00, 0x6f]), "\r\n");
    output.writeText("0\r\n\r\n");
    expect(pieces).toEqual([]);
    const whole = "head\r\n5\r\nh\x80\xff\x00o\r\n0\r\n\r\n";
    expect((await received(far, whole.length)).toString("latin1")).toBe(whole);
    expect(pieces).toEqual([whole]);
  });

  test("bytes of some size join the text before them, uncopied where there is none", async () => {
    const { near, far } = await makeLine();
    const pieces: string[] = [];
    watchWrites(near, pieces);
    const bytes = bytesOf(10_000);
    new Output(near, gone).writeBytes("head", bytes, "");
    expect(pieces).toEqual([]);
    await received(far, 10_004);
    expect(pieces).toEqual(["head" + bytes.toString("latin1")]);
  });

  test("the outputs of a turn are sent together, in the order in which they were first written to", async () => {
    const lines = [await makeLine(), await makeLine(), await makeLine()];
    const order: number[] = [];
    const outputs = lines.map(({ near }, i) => {
      const output = new Output(near, gone);
      const flush = output.flush.bind(output);
      output.flush = (): void => {
        order.push(i);
        flush();
      };
      return output;
    });
    for (const i of [1, 0, 2, 1, 0]) outputs[i]?.writeBytes("", bytesOf(300), "");
    expect(order).toEqual([]);
    await Promise.all(lines.map(({ far }, i) => received(far, i === 2 ? 300 : 600)));
    expect(order).toEqual([1, 0, 2]);
  });

  test("nothing is sent again, and what comes later has an end of a turn of its own", async () => {
    const { near, far } = await makeLine();
    const output = new Output(near, gone);
    output.writeText("one");
    output.flush();
    output.writeText("two");
    expect((await received(far, 6)).toString()).toBe("onetwo");
    output.writeText("three");
    expect((await received(far, 5)).toString()).toBe("three");
  });

  test("a socket that was closed meanwhile is let be", async () => {
    const { near } = await makeLine();
    near.on("error", () => undefined);
    const output = new Output(near, gone);
    output.writeBytes("", bytesOf(2000), "");
    near.destroy();
    await once(near, "close");
    expect(output.isCut).toBe(true);
  });
});

describe("at once", () => {
  test("bytes that are many: slow clients are seen at the first of them", async () => {
    const { near, far } = await makeLine();
    far.pause();
    const output = new Output(near, gone);
    let sent = 0;
    while (!output.isBlocked && sent < 100) {
      output.writeBytes("10000\r\n", bytesOf(64 * 1024), "\r\n");
      sent++;
    }
    expect(output.isBlocked).toBe(true);
    expect(near.bytesWritten).toBe(sent * (64 * 1024 + 9));
  });

  test("small bytes for which others already wait", async () => {
    const { near, far } = await makeLine();
    const pieces: string[] = [];
    watchWrites(near, pieces);
    const output = new Output(near, gone);
    for (const size of [1000, 2000, 3000]) output.writeBytes("", bytesOf(size), "");
    expect(pieces.map((piece) => piece.length)).toEqual([1000, 2000]);
    await received(far, 6000);
    expect(pieces.map((piece) => piece.length)).toEqual([1000, 2000, 3000]);
  });
});

test("whatever is written in whatever sizes arrives whole and in order", async () => {
  const { near, far } = await makeLine();
  const got: Buffer[] = [];
  far.on("data", (chunk: Buffer) => got.push(chunk));
  const output = new Output(near, gone, 40_000);
  near.on("drain", () => output.unblocked());
  const sizes = [0, 1, 512, 513, 4000, 16 * 1024, 16 * 1024 + 1, 64 * 1024, 64 * 1024 + 1, 200_000];
  const expected: Buffer[] = [];
  let lent = 0;
  for (let round = 0; round < 300; round++) {
    const bytes = bytesOf(sizes[(round * 7) % sizes.length] ?? 0, round);
    const before = round % 3 === 0 ? "" : `${bytes.length}\r\n`;
    const after = round % 5 < 2 ? "" : `\r\n\xfe${"x".repeat((round % 4) * 30_000)}`;
    if (round % 11 === 3) await output.drained();
    else if (round % 11 === 7) await new Promise((resolve) => setImmediate(resolve));
    else if (round % 11 === 9) output.flush();
    if (round % 4 === 0) {
      output.writeText(before + after);
      expected.push(Buffer.from(before + after, "latin1"));
      continue;
    }
    if (round % 4 === 1) {
      lent++;
      output.writeLent(before, bytes, after, () => lent--);
    } else output.writeBytes(before, bytes, after);
    expected.push(Buffer.from(before, "latin1"), bytes, Buffer.from(after, "latin1"));
  }
  output.flush();
  near.end();
  await once(far, "end");
  expect(Buffer.concat(got).equals(Buffer.concat(expected))).toBe(true);
  expect(lent).toBe(0);
});
