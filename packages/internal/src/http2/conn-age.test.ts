// How long connections of HTTP/2 last, and what becomes of clients that give no sign of life.

import { expect, test } from "vitest";
import { frame, FrameClient } from "../testing/frame-client.ts";
import { serve } from "../testing/serve.ts";
import type { HandletPart } from "../web/kinds.ts";
import { defaultWindow, frameFlag, frameType, maxWindow, settingId } from "./frames.ts";

/** Answers when it is told to. */
function held(): { handle: HandletPart["handle"]; answer: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    handle: async (_req, resp) => {
      await promise;
      resp.send("late");
      return true;
    },
    answer: resolve,
  };
}

test("the client of an old connection is told to make another one, and its streams go on", async () => {
  const { handle, answer } = held();
  await using server = await serve({ handlets: [handle], settings: { http2MaxConnAge: 20 } });
  const client = await FrameClient.connect(server);
  client.send(client.request(1));
  const goaway = await client.nextOf(({ type }) => type === frameType.goaway);
  expect(goaway.payload.readUInt32BE(0)).toBe(2 ** 31 - 1);
  const ping = await client.nextOf(({ type, flags }) => type === frameType.ping && flags === 0);
  client.send(frame(frameType.ping, frameFlag.ack, 0, ping.payload));
  const last = await client.nextOf(({ type }) => type === frameType.goaway);
  expect(last.payload.readUInt32BE(0)).toBe(1);
  answer();
  expect(await client.response(1)).toMatchObject({ status: 200, text: "late" });
  await client.raw.toTheEnd();
});

test("streams that go on after the grace end with their old connection", async () => {
  const { handle } = held();
  const settings = { http2MaxConnAge: 20, http2ConnAgeGrace: 20 };
  await using server = await serve({ handlets: [handle], settings });
  const client = await FrameClient.connect(server);
  client.send(client.request(1));
  await client.raw.toTheEnd();
  expect(server.log.join("\n")).toContain("its streams went on for 20 ms after GOAWAY");
});

test("a silent client whose stream runs is asked for a sign of life, and stays if it gives one", async () => {
  const { handle, answer } = held();
  await using server = await serve({ handlets: [handle], settings: { http2PingInterval: 20, http2PingTimeout: 1000 } });
  const client = await FrameClient.connect(server);
  client.send(client.request(1));
  for (let count = 0; count < 2; count++) {
    const ping = await client.nextOf(({ type, flags }) => type === frameType.ping && flags === 0);
    client.send(frame(frameType.ping, frameFlag.ack, 0, ping.payload));
  }
  answer();
  expect(await client.response(1)).toMatchObject({ text: "late" });
});

test("a client that takes its answer and says nothing meanwhile gets all of it", async () => {
  const settings = { http2PingInterval: 10, http2PingTimeout: 500 };
  const handle: HandletPart["handle"] = async (_req, resp) => {
    const end = performance.now() + 1500;
    while (performance.now() < end) await resp.echo(Buffer.alloc(100_000));
    resp.end();
    return true;
  };
  await using server = await serve({ handlets: [handle], settings });
  const client = await FrameClient.connect(server, { [settingId.initialWindowSize]: maxWindow });
  client.send(frame(frameType.windowUpdate, 0, 0, maxWindow - defaultWindow), client.request(1));
  let last = await client.next();
  while (last.type !== frameType.data || last.flags !== frameFlag.endStream) last = await client.next();
  expect(server.log.join("\n")).not.toContain("no sign of life");
});

test("a client that gives no sign of life while its stream runs is sent away", async () => {
  const left = Promise.withResolvers<void>();
  const settings = { http2PingInterval: 20, http2PingTimeout: 20 };
  const handle: HandletPart["handle"] = async (req) => {
    req.onAbort(() => left.resolve());
    await left.promise;
    return true;
  };
  await using server = await serve({ handlets: [handle], settings });
  const client = await FrameClient.connect(server);
  client.send(client.request(1));
  await left.promise;
  expect(server.log.join("\n")).toContain("it gave no sign of life for 20 ms");
});
