import { expect, test } from "vitest";
import { frame, FrameClient } from "../testing/frame-client.ts";
import { serve } from "../testing/serve.ts";
import type { HandletPart } from "../web/kinds.ts";
import { frameFlag, frameType } from "./frames.ts";

const accept: HandletPart["handle"] = (_req, resp) => {
  resp.send("thanks");
  return true;
};
const size = 200_000;
const post = { ":method": "POST", "content-length": String(size) };

/** The frames of an upload, all in one; the last one ends it, unless there is none. */
function uploadOf(client: FrameClient, left: number, isEnded = true): Buffer {
  const frames: Buffer[] = [];
  for (; left > 0; left -= 10_000) frames.push(client.data(1, Buffer.alloc(10_000), isEnded && left === 10_000));
  return Buffer.concat(frames);
}

test("an upload that is answered with 200 before it is complete may go on to its end", async () => {
  await using server = await serve(accept);
  const client = await FrameClient.connect(server);
  client.send(client.request(1, post, false));
  expect(await client.response(1)).toMatchObject({ status: 200, text: "thanks" });
  const { payload } = await client.nextOfType(frameType.windowUpdate, 1);
  expect(payload.readUInt32BE()).toBe(size);
  client.send(uploadOf(client, size), client.request(3));
  expect(await client.response(3)).toMatchObject({ status: 200 });
  await client.roundTrip();
  expect(client.passedOfType(frameType.rstStream)).toEqual([]);
  expect(client.passedOfType(frameType.ping).filter(({ flags }) => flags !== frameFlag.ack)).toEqual([]);
});

test("content of such an upload that comes behind hundreds of other early answers is passed over", async () => {
  const handle: HandletPart["handle"] = (req, resp) => {
    if (req.path !== "/") resp.status = 404;
    resp.send("");
    return true;
  };
  await using server = await serve({ handlets: [handle], settings: { lingerTimeout: 60_000 } });
  const client = await FrameClient.connect(server);
  client.send(client.request(1, post, false));
  await client.response(1);
  for (let id = 3; id < 800; id += 2) {
    client.send(client.request(id, { ...post, ":path": "/no" }, false), client.data(id, Buffer.alloc(0), true));
    expect(await client.response(id)).toMatchObject({ status: 404 });
  }
  client.send(uploadOf(client, size), client.request(801));
  expect(await client.response(801)).toMatchObject({ status: 200 });
});

test.each([
  ["stops", { lingerTimeout: 1 }],
  ["goes on for longer than maxLingerTime", { maxLingerTime: 1, lingerTimeout: 20 }],
])("the stream of such an upload that %s is reset with NO_ERROR", async (_how, settings) => {
  await using server = await serve({ handlets: [accept], settings });
  const client = await FrameClient.connect(server);
  client.send(client.request(1, post, false), uploadOf(client, 20_000, false));
  await client.response(1);
  const { id, payload } = await client.nextOfType(frameType.rstStream);
  expect([id, payload.readUInt32BE()]).toEqual([1, 0]);
  client.send(uploadOf(client, 20_000, false), client.request(3));
  expect(await client.response(3)).toMatchObject({ status: 200 });
});

test("such an upload counts as an open stream", async () => {
  await using server = await serve({ handlets: [accept], settings: { http2MaxStreams: 1, lingerTimeout: 60_000 } });
  const client = await FrameClient.connect(server);
  client.send(client.request(1, post, false));
  await client.response(1);
  client.send(client.request(3));
  const { id, payload } = await client.nextOfType(frameType.rstStream);
  expect([id, payload.readUInt32BE()]).toEqual([3, 7]);
  client.send(uploadOf(client, size), client.request(5));
  expect(await client.response(5)).toMatchObject({ status: 200 });
});

test("a connection with such an upload is not idle", async () => {
  await using server = await serve({ handlets: [accept], settings: { idleTimeout: 1, lingerTimeout: 60 } });
  const client = await FrameClient.connect(server);
  client.send(client.request(1, post, false));
  const { type } = await client.nextOf(({ type }) => type === frameType.goaway || type === frameType.rstStream);
  expect(type).toBe(frameType.rstStream);
});

test("heads on the stream of such an upload are a flood, if there are many", async () => {
  await using server = await serve({
    handlets: [accept],
    settings: { http2MaxIdleFrames: 100, lingerTimeout: 60_000 },
  });
  const client = await FrameClient.connect(server);
  client.send(client.request(1, post, false));
  await client.response(1);
  const head = () => frame(frameType.headers, frameFlag.endHeaders, 1, client.block({ a: "b" }));
  client.send(...Array.from({ length: 90 }, head));
  await client.roundTrip();
  client.send(...Array.from({ length: 90 }, head));
  expect(await client.goaway()).toBe("ENHANCE_YOUR_CALM");
});

test("such an upload in small frames is no flood", async () => {
  await using server = await serve({
    handlets: [accept],
    settings: { http2MaxIdleFrames: 100, lingerTimeout: 60_000 },
  });
  const client = await FrameClient.connect(server);
  client.send(client.request(1, post, false));
  await client.response(1);
  for (let i = 0; i < 400; i++) client.send(client.data(1, Buffer.alloc(100)));
  await client.roundTrip();
});

test.each([
  ["is told", { "content-length": "100000000" }],
  ["is not told", {}],
])(
  "an upload whose size %s, and which its client gives up, costs no other one that its windows allow",
  async (_what, fields) => {
    const isOver = Promise.withResolvers<void>();
    await using server = await serve({
      handlets: [
        async (req, resp) => {
          if (req.path !== "/") {
            await isOver.promise;
            await req.content.bytes();
          }
          resp.send("thanks");
          return true;
        },
      ],
    });
    const client = await FrameClient.connect(server);
    let window = 65_535;
    client.send(client.request(1, { ":method": "POST", ...fields }, false));
    await client.response(1);
    client.send(frame(frameType.rstStream, 0, 1, Buffer.from([0, 0, 0, 8])));
    await client.roundTrip();
    for (const { id, payload } of client.passedOfType(frameType.windowUpdate)) {
      if (id === 0) window += payload.readUInt32BE();
    }
    let sent = 0;
    for (let id = 3; id < 83 && window >= 60_000; id += 2) {
      client.send(client.request(id, { ":method": "POST", ":path": "/slow" }, false));
      for (let i = 0; i < 6; i++) client.send(client.data(id, Buffer.alloc(10_000), i === 5));
      window -= 60_000;
      sent++;
    }
    await client.roundTrip();
    isOver.resolve();
    expect(sent).toBeGreaterThan(10);
    expect(client.passedOfType(frameType.rstStream).filter(({ id }) => id !== 1)).toEqual([]);
  },
);
