import { once } from "node:events";
import * as net from "node:net";
import { expect, test } from "vitest";
import { connectPair } from "../testing/socket-pair.ts";
import { readAsStream, readDirectly, resumeReading } from "./direct-reading.ts";

/** Settles with what has come once it is as much as `size` bytes. */
function collect(size: number): { readonly take: (bytes: Buffer) => void; readonly all: Promise<string> } {
  const all = Promise.withResolvers<string>();
  let text = "";
  const take = (bytes: Buffer): void => {
    text += bytes.toString("latin1");
    if (text.length >= size) all.resolve(text);
  };
  return { take, all: all.promise };
}

test("what its stream holds is not overwritten by what other sockets read", async () => {
  await using first = await connectPair();
  await using second = await connectPair();
  first.accepted.pause();
  first.client.write("x".repeat(1000));
  await once(first.accepted, "readable");
  const { take, all } = collect(1000);
  readDirectly(second.accepted, take, take);
  second.client.write("y".repeat(1000));
  expect(await all).toBe("y".repeat(1000));
  expect(String(first.accepted.read())).toBe("x".repeat(1000));
});

test("a stream that nobody reads takes what fits and sees its end; all of the rest follows once it is read", async () => {
  await using pair = await connectPair();
  const { client, accepted } = pair;
  accepted.pause();
  const size = 8 * 1024 * 1024;
  const sent = Buffer.alloc(size, "abcdefg");
  client.end(sent);
  await once(accepted, "readable");
  expect(accepted.readableLength).toBeLessThan(256 * 1024);
  const pieces: Buffer[] = [];
  accepted.on("data", (piece: Buffer) => pieces.push(piece)).resume();
  await once(accepted, "end");
  expect(Buffer.concat(pieces).equals(sent)).toBe(true);

  await using idle = await connectPair();
  idle.accepted.pause();
  idle.client.end();
  await once(idle.accepted, "end");
});

test("a direct reader gets what comes, behind what the stream had already", async () => {
  await using pair = await connectPair();
  const { client, accepted } = pair;
  client.write("first ");
  await once(accepted, "readable");
  const { take, all } = collect(12);
  readDirectly(accepted, take, take);
  client.write("second");
  expect(await all).toBe("first second");
});

test("a direct reader that pauses gets nothing until it resumes", async () => {
  await using pair = await connectPair();
  await using other = await connectPair();
  const { client, accepted } = pair;
  const { take, all } = collect(1);
  let isPaused = true;
  const reader = (bytes: Buffer): void => {
    expect(isPaused).toBe(false);
    take(bytes);
  };
  readDirectly(accepted, reader, reader);
  accepted.pause();
  client.write("later");
  // Once this has come, the other would have as well.
  const { take: takeOther, all: allOfOther } = collect(1);
  readDirectly(other.accepted, takeOther, takeOther);
  other.client.write("now");
  expect(await allOfOther).toBe("now");
  isPaused = false;
  resumeReading(accepted);
  expect(await all).toBe("later");
});

test("a direct reader may leave the rest to the stream", async () => {
  await using pair = await connectPair();
  const { client, accepted } = pair;
  const head = collect(4);
  const reader = (bytes: Buffer): void => {
    head.take(bytes);
    accepted.pause();
    readAsStream(accepted, reader);
  };
  readDirectly(accepted, reader, reader);
  client.write("head");
  expect(await head.all).toBe("head");
  client.end("the rest");
  let text = "";
  for await (const piece of accepted) text += String(piece);
  expect(text).toBe("the rest");
});

test("who reads directly after somebody has read the stream gets nothing while it is paused", async () => {
  await using pair = await connectPair();
  await using other = await connectPair();
  const { client, accepted } = pair;
  const ignore = (): void => undefined;
  readDirectly(accepted, ignore, ignore);
  accepted.pause();
  readAsStream(accepted, ignore);
  const { take, all } = collect(1);
  let isPaused = true;
  const reader = (bytes: Buffer): void => {
    expect(isPaused).toBe(false);
    take(bytes);
  };
  readDirectly(accepted, reader, reader);
  accepted.resume();
  accepted.pause();
  client.write("later");
  const { take: takeOther, all: allOfOther } = collect(1);
  readDirectly(other.accepted, takeOther, takeOther);
  other.client.write("now");
  expect(await allOfOther).toBe("now");
  isPaused = false;
  resumeReading(accepted);
  expect(await all).toBe("later");
});

test("a direct reader learns of the end, whether it has paused before or not", async () => {
  await using pair = await connectPair();
  await using paused = await connectPair();
  for (const { accepted, client } of [pair, paused]) {
    const { take, all } = collect(5);
    readDirectly(accepted, take, take);
    if (accepted === paused.accepted) {
      accepted.pause();
      resumeReading(accepted);
    }
    client.end("bytes");
    expect(await all).toBe("bytes");
    if (!accepted.readableEnded) await once(accepted, "end");
    expect(accepted.destroyed).toBe(false);
  }
});

test("input goes past the stream", async () => {
  await using pair = await connectPair();
  const { client, accepted } = pair;
  const direct = collect(5);
  readDirectly(accepted, direct.take, () => expect.unreachable());
  client.write("bytes");
  expect(await direct.all).toBe("bytes");
});

test("what has no handle is read as a stream", async () => {
  const socket = new net.Socket();
  const { take, all } = collect(5);
  readDirectly(socket, () => expect.unreachable(), take);
  socket.push("bytes");
  expect(await all).toBe("bytes");
  socket.destroy();
});
