import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import { describe, expect, test } from "vitest";
import { testAuthority } from "../testing/certificates.ts";
import { connectPair, type Transport } from "../testing/socket-pair.ts";
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

describe.each<Transport>(["TCP", "TLS"])("by %s", (transport) => {
  test("a direct reader gets what comes, behind what the stream had already", async () => {
    await using pair = await connectPair(transport);
    const { client, accepted } = pair;
    client.write("first ");
    await once(accepted, "readable");
    const { take, all } = collect(12);
    readDirectly(accepted, take, take);
    client.write("second");
    expect(await all).toBe("first second");
  });

  test("a direct reader that pauses gets nothing until it resumes", async () => {
    await using pair = await connectPair(transport);
    await using other = await connectPair(transport);
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
    await using pair = await connectPair(transport);
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
    await using pair = await connectPair(transport);
    await using other = await connectPair(transport);
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
    await using pair = await connectPair(transport);
    await using paused = await connectPair(transport);
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
    await using pair = await connectPair(transport);
    const { client, accepted } = pair;
    const direct = collect(5);
    readDirectly(accepted, direct.take, () => expect.unreachable());
    client.write("bytes");
    expect(await direct.all).toBe("bytes");
  });
});

test("a direct reader that pauses while TLS decrypts gets the rest once it resumes, in order", async () => {
  await using pair = await connectPair("TLS");
  const { client, accepted } = pair;
  const sent = Buffer.alloc(1024 * 1024);
  for (let at = 0; at < sent.length; at += 4) sent.writeUInt32BE(at, at);
  const { take, all } = collect(sent.length);
  let isPaused = false;
  const reader = (bytes: Buffer): void => {
    expect(isPaused).toBe(false);
    take(bytes);
    isPaused = true;
    accepted.pause();
    setImmediate(() => {
      isPaused = false;
      resumeReading(accepted);
    });
  };
  readDirectly(accepted, reader, reader);
  client.write(sent);
  expect((await all) === sent.toString("latin1")).toBe(true);
});

test.each<[string, (beneath: net.Socket) => void]>([
  ["is reset", (beneath) => beneath.resetAndDestroy()],
  ["ends without a close_notify", (beneath) => beneath.end()],
])("a direct reader of TLS learns that the connection %s", async (_how, end) => {
  const { cert, key } = await (await testAuthority()).issue({});
  const server = tls.createServer({ cert, key }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const beneath = net.connect(address.port);
  const client = tls.connect({ socket: beneath, rejectUnauthorized: false }).on("error", () => undefined);
  const [accepted] = (await once(server, "secureConnection")) as [tls.TLSSocket];
  server.close();
  const { take, all } = collect(5);
  readDirectly(accepted, take, take);
  const closed = new Promise((resolve) => accepted.on("close", resolve));
  accepted.on("error", () => undefined);
  client.write("bytes");
  expect(await all).toBe("bytes");
  end(beneath);
  await closed;
});

test("what has no handle is read as a stream", async () => {
  const socket = new net.Socket();
  const { take, all } = collect(5);
  readDirectly(socket, () => expect.unreachable(), take);
  socket.push("bytes");
  expect(await all).toBe("bytes");
  socket.destroy();
});
