import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { HandletPart } from "../web/kinds.ts";
import { describeTransports } from "../testing/serve.ts";
import { frameFlag, frameType, settingId } from "./frames.ts";
import { frame, FrameClient, settings, type Frame } from "../testing/frame-client.ts";

type Handle = HandletPart["handle"];

const size = (req: { path: string }): number => Number(req.path.slice(1));
/** So much content as the path says, in one go. */
const whole: Handle = (req, resp) => (resp.send("x".repeat(size(req))), true);
/** The same in pieces, each when the one before it has been taken. */
const inPieces: Handle = async (req, resp) => {
  for (let left = size(req); left > 0; left -= 10_000) await resp.echo("x".repeat(Math.min(left, 10_000)));
  resp.end();
  return true;
};

const widen = (id: number, by: number): Buffer => frame(frameType.windowUpdate, 0, id, by);
const noWindow = { [settingId.initialWindowSize]: 0 };

/** DATA frames that come until as much content has. */
async function content(client: FrameClient, wanted: number): Promise<Frame[]> {
  const frames: Frame[] = [];
  for (let got = 0; got < wanted;) {
    const next = await client.nextOfType(frameType.data);
    got += next.payload.length;
    frames.push(next);
  }
  return frames;
}

describeTransports(({ serve }) => {
  describe.each([
    ["in one go", whole],
    ["in pieces", inPieces],
  ])("content that is sent %s", (_name, handle) => {
    test("stops where the window of its stream does, and goes on as that is widened", async () => {
      await using server = await serve(handle);
      const client = await FrameClient.connect(server, { [settingId.initialWindowSize]: 10 });
      client.send(client.request(1, { ":path": "/25" }));
      expect((await client.nextOfType(frameType.data)).payload).toHaveLength(10);
      await client.roundTrip();
      client.send(widen(1, 1));
      expect((await client.nextOfType(frameType.data)).payload).toHaveLength(1);
      client.send(widen(1, 100));
      const last = await client.nextOfType(frameType.data);
      expect(last.payload).toHaveLength(14);
    });

    test("stops where the window of the connection does, and goes on as that is widened", async () => {
      await using server = await serve(handle);
      const client = await FrameClient.connect(server, { [settingId.initialWindowSize]: 1_000_000 });
      client.send(client.request(1, { ":path": "/70000" }));
      await content(client, 65_535);
      await client.roundTrip();
      client.send(widen(0, 100_000));
      const frames = await content(client, 70_000 - 65_535);
      expect(frames.every(({ payload }) => payload.length <= 16_384)).toBe(true);
    });

    test("waits for a window that was made negative by a change of the settings", async () => {
      await using server = await serve(handle);
      const client = await FrameClient.connect(server, { [settingId.initialWindowSize]: 10 });
      client.send(client.request(1, { ":path": "/20" }));
      await content(client, 10);
      client.send(frame(frameType.settings, 0, 0, settings({ [settingId.initialWindowSize]: 4 })), widen(1, 6));
      await client.roundTrip();
      client.send(widen(1, 2));
      expect((await client.nextOfType(frameType.data)).payload).toHaveLength(2);
      client.send(frame(frameType.settings, 0, 0, settings({ [settingId.initialWindowSize]: 100 })));
      expect((await client.nextOfType(frameType.data)).payload).toHaveLength(8);
    });

    test("is not held up by that of another stream whose client takes nothing", async () => {
      await using server = await serve(handle);
      const client = await FrameClient.connect(server, noWindow);
      client.send(client.request(1, { ":path": "/5000" }), client.request(3, { ":path": "/5000" }), widen(3, 5000));
      const frames = await content(client, 5000);
      expect(frames.map(({ id }) => id)).toEqual([3]);
    });
  });

  test("an answer without content needs no window", async () => {
    await using server = await serve(whole);
    const client = await FrameClient.connect(server, noWindow);
    expect(await client.send(client.request(1, { ":path": "/0" })).response(1)).toMatchObject({ text: "" });
  });

  test("trailers come behind content that had to wait", async () => {
    await using server = await serve((_req, resp) => {
      void resp.echo("hello");
      resp.setTrailer("x-sum", "7");
      resp.end();
      return true;
    });
    const client = await FrameClient.connect(server, noWindow);
    client.send(client.request(1));
    await client.roundTrip();
    client.send(widen(1, 100));
    expect(await client.response(1)).toMatchObject({ text: "hello", trailers: { "x-sum": "7" } });
  });

  test.each([
    ["", false],
    [" with trailers", true],
  ])(
    "who waits for a slow client goes on once the response%s, ended meanwhile, is taken",
    async (_what, hasTrailer) => {
      const went = Promise.withResolvers<string>();
      await using server = await serve((_req, resp) => {
        void Promise.resolve(resp.echo("hello")).then(() => went.resolve("on"));
        if (hasTrailer) resp.setTrailer("x-sum", "7");
        resp.end();
        return true;
      });
      const client = await FrameClient.connect(server, noWindow);
      client.send(client.request(1));
      await client.roundTrip();
      client.send(widen(1, 100));
      expect(await client.response(1)).toMatchObject({ text: "hello" });
      expect(await went.promise).toBe("on");
    },
  );

  test("who asks hears of the end when the last byte is on its way, and not before", async () => {
    const ended: unknown[] = [];
    await using server = await serve((_req, resp) => {
      resp.onEnd((status, contentSent, reason) => ended.push([status, contentSent, reason]));
      resp.send("hello");
      return true;
    });
    const client = await FrameClient.connect(server, noWindow);
    client.send(client.request(1), widen(1, 2));
    await client.roundTrip();
    expect(ended).toEqual([]);
    client.send(widen(1, 3));
    await client.roundTrip();
    expect(ended).toEqual([[200, 5, "complete"]]);
    client.send(client.request(3), widen(3, 2));
    await client.roundTrip();
    client.send(frame(frameType.rstStream, 0, 3, 8));
    await client.roundTrip();
    expect(ended[1]).toEqual([200, 2, "leftReading"]);
  });

  test("a file goes as far as its stream's window, and no further into memory", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hemi-http2-"));
    const path = join(folder, "file");
    await writeFile(path, Buffer.alloc(1_000_000, "y"));
    const file = await open(path);
    const handle: Handle = async (_req, resp) => (
      await resp.sendRegion({ fd: file.fd, offset: 10, size: 999_990 }),
      true
    );
    await using server = await serve(handle);
    const client = await FrameClient.connect(server);
    client.send(client.request(1));
    await content(client, 65_535);
    await client.roundTrip();
    client.send(widen(0, 10_000_000), widen(1, 10_000_000));
    const frames = await content(client, 999_990 - 65_535);
    expect(frames.reduce((sum, { payload }) => sum + payload.length, 0)).toBe(999_990 - 65_535);
    expect(frames.every(({ payload }) => payload.every((byte) => byte === 0x79))).toBe(true);
    await file.close();
    await rm(folder, { recursive: true });
  });

  describe("priorities", () => {
    /** In which order streams end whose windows open together. */
    async function order(priorities: readonly string[], change?: Buffer, early?: Buffer): Promise<number[]> {
      await using server = await serve(whole);
      const client = await FrameClient.connect(server, { [settingId.initialWindowSize]: 1_000_000 });
      // The first one uses up the connection's window, so that the others wait.
      client.send(client.request(1, { ":path": "/65535" }));
      await content(client, 65_535);
      if (early !== undefined) client.send(early);
      for (const [i, priority] of priorities.entries()) {
        client.send(client.request(3 + 2 * i, { ":path": "/40000", priority }));
      }
      if (change !== undefined) client.send(change);
      await client.roundTrip();
      client.send(widen(0, 1_000_000));
      const frames = await content(client, 40_000 * priorities.length);
      return frames.map(({ id }) => id);
    }

    test("decide what comes first", async () => {
      expect(await order(["u=5", "u=1", "u=3"])).toEqual([5, 5, 5, 7, 7, 7, 3, 3, 3]);
    });

    test("let those that are of use in parts go by turns", async () => {
      expect(await order(["i", "i", "u=0"])).toEqual([7, 7, 7, 3, 5, 3, 5, 3, 5]);
    });

    test("may be changed later", async () => {
      const update = frame(frameType.priorityUpdate, 0, 0, "\0\0\0\x05u=0");
      expect(await order(["u=2", "u=5"], update)).toEqual([5, 5, 5, 3, 3, 3]);
    });

    test("may be told before their request, and count more than its own", async () => {
      const update = frame(frameType.priorityUpdate, 0, 0, "\0\0\0\x05u=0");
      expect(await order(["u=2", "u=5"], undefined, update)).toEqual([5, 5, 5, 3, 3, 3]);
    });
  });

  describe("content that comes in", () => {
    const post = { ":method": "POST" };

    test("is taken as far as the window of its stream, and the window opens as it is read", async () => {
      const reading = Promise.withResolvers<void>();
      await using server = await serve({
        handlets: [
          async (req, resp) => (await reading.promise, resp.send(String((await req.content.bytes()).length)), true),
        ],
      });
      const client = await FrameClient.connect(server);
      client.send(client.request(1, post, false));
      for (let i = 0; i < 4; i++) client.send(client.data(1, "x".repeat(16_384)));
      await client.roundTrip();
      reading.resolve();
      expect((await client.nextOfType(frameType.windowUpdate, 1)).payload.readUInt32BE(0)).toBeGreaterThanOrEqual(
        65_536,
      );
      expect(await client.send(client.data(1, "x", true)).response(1)).toMatchObject({ text: "65537" });
    });

    test("beyond the window of its stream ends the stream", async () => {
      await using server = await serve(() => true);
      const client = await FrameClient.connect(server);
      client.send(client.request(1, post, false));
      for (let i = 0; i < 5; i++) client.send(client.data(1, "x".repeat(16_384)));
      expect(await client.reset(1)).toBe("FLOW_CONTROL_ERROR");
      await client.roundTrip();
    });

    test("beyond the window of the connection ends the connection", async () => {
      await using server = await serve({ handlets: [() => true], settings: { http2ConnWindow: 65_536 } });
      const client = await FrameClient.connect(server);
      client.send(client.request(1, post, false), client.request(3, post, false));
      for (let i = 0; i < 5; i++) client.send(client.data(i < 3 ? 1 : 3, "x".repeat(16_384)));
      expect(await client.goaway()).toBe("FLOW_CONTROL_ERROR");
    });

    test("of a handlet that does not read holds no other stream up", async () => {
      await using server = await serve(async (req, resp) => {
        if (req.path === "/slow") return true;
        resp.send(String((await req.content.bytes()).length));
        return true;
      });
      const client = await FrameClient.connect(server);
      client.send(client.request(1, { ...post, ":path": "/slow" }, false));
      for (let i = 0; i < 4; i++) client.send(client.data(1, "x".repeat(16_384)));
      client.send(client.request(3, post, false));
      for (let i = 0; i < 40; i++) {
        client.send(client.data(3, "x".repeat(16_384)));
        await client.roundTrip();
      }
      expect(await client.send(client.data(3, "", true)).response(3)).toMatchObject({ text: String(40 * 16_384) });
    });

    test("that nobody read gives the connection's window back when its stream is over", async () => {
      await using server = await serve({
        handlets: [(req, resp) => (req.path === "/" ? resp.send() : undefined, true)],
        settings: { http2ConnWindow: 65_536, http2MaxResets: 1000 },
      });
      const client = await FrameClient.connect(server);
      for (let id = 1; id < 41; id += 4) {
        const block = { ...post, ":path": "/wait" };
        client.send(
          client.request(id, block, false),
          client.data(id, "x".repeat(16_384)),
          client.data(id, "x".repeat(16_384)),
        );
        client.send(frame(frameType.rstStream, 0, id, 8));
        client.send(client.request(id + 2, post, false), client.data(id + 2, "x".repeat(16_384)));
        expect(await client.response(id + 2)).toMatchObject({ status: 200 });
      }
      expect(await client.send(client.request(43)).response(43)).toMatchObject({ status: 200 });
    });

    test("may be all padding", async () => {
      await using server = await serve(async (req, resp) => (resp.send(await req.content.text()), true));
      const client = await FrameClient.connect(server);
      client.send(client.request(1, post, false));
      const padded = frame(frameType.data, frameFlag.padded, 1, "\xffa" + "\0".repeat(255));
      for (let i = 0; i < 1000; i++) {
        client.send(padded);
        if (i % 100 === 99) await client.roundTrip();
      }
      expect(await client.send(client.data(1, "", true)).response(1)).toMatchObject({ text: "a".repeat(1000) });
    });
  });
});
