import { once } from "node:events";
import * as http2 from "node:http2";
import { afterEach, expect, test } from "vitest";
import { FrameClient, frame } from "../testing/frame-client.ts";
import { describeTransports, serve } from "../testing/serve.ts";
import type { HandletPart } from "../web/kinds.ts";
import { frameFlag, frameType } from "./frames.ts";

const post = { ":method": "POST" };
const refuse: HandletPart["handle"] = (_req, resp) => {
  resp.status = 405;
  resp.send("no");
  return true;
};

/** The stream that is to be reset is not, yet. */
async function expectNoReset(client: FrameClient): Promise<void> {
  await client.roundTrip();
  expect(client.passedOfType(frameType.rstStream)).toEqual([]);
}

/** Acknowledges the next PING of the server. */
async function acknowledge(client: FrameClient): Promise<void> {
  const { payload } = await client.nextOf(({ type, flags }) => type === frameType.ping && flags === 0);
  client.send(frame(frameType.ping, frameFlag.ack, 0, payload));
}

test("an answer that comes before its request is complete is read before the stream is reset", async () => {
  await using server = await serve(refuse);
  const client = await FrameClient.connect(server);
  client.send(client.request(1, post, false), client.data(1, "some"));
  expect(await client.response(1)).toMatchObject({ status: 405, text: "no" });
  await expectNoReset(client);
  // What was on its way is passed over.
  client.send(client.data(1, "more"), client.request(3, post, false));
  expect(await client.response(3)).toMatchObject({ status: 405 });
  await acknowledge(client);
  const { id } = await client.nextOfType(frameType.rstStream);
  expect(id).toBe(1);
  // The second one was answered behind the PING.
  await expectNoReset(client);
  await acknowledge(client);
  expect((await client.nextOfType(frameType.rstStream)).id).toBe(3);
  client.send(client.data(1, "and more"), client.request(5));
  expect(await client.response(5)).toMatchObject({ status: 405 });
});

test("a request that is refused by its head is answered before its stream is reset", async () => {
  await using server = await serve({ handlets: [refuse], settings: { maxTargetSize: 64 } });
  const client = await FrameClient.connect(server);
  client.send(client.request(1, { ...post, ":path": "/" + "a".repeat(100) }, false), client.data(1, "some"));
  expect(await client.response(1)).toMatchObject({ status: 414 });
  await expectNoReset(client);
  await acknowledge(client);
  expect((await client.nextOfType(frameType.rstStream)).id).toBe(1);
});

test("a stream whose client acknowledges nothing is reset after lingerTimeout", async () => {
  await using server = await serve({ handlets: [refuse], settings: { lingerTimeout: 1 } });
  const client = await FrameClient.connect(server);
  client.send(client.request(1, post, false));
  expect((await client.nextOfType(frameType.rstStream)).id).toBe(1);
});

test.each([
  ["ends", (client: FrameClient) => client.data(1, "", true)],
  ["ends by trailers", (client: FrameClient) => client.trailers(1, { a: "b" })],
  ["resets", () => frame(frameType.rstStream, 0, 1, 8)],
])("a stream that the client %s after its answer is not reset", async (_how, end) => {
  await using server = await serve({ handlets: [refuse], settings: { http2MaxStreams: 1 } });
  const client = await FrameClient.connect(server);
  client.send(client.request(1, post, false));
  expect(await client.response(1)).toMatchObject({ status: 405 });
  client.send(end(client));
  await acknowledge(client);
  await expectNoReset(client);
  expect(await client.send(client.request(3)).response(3)).toMatchObject({ status: 405 });
});

test("streams that are answered and not yet reset count as open ones", async () => {
  await using server = await serve({ handlets: [refuse], settings: { http2MaxStreams: 2 } });
  const client = await FrameClient.connect(server);
  for (const id of [1, 3, 5]) client.send(client.request(id, post, false));
  const { id, payload } = await client.nextOfType(frameType.rstStream);
  expect([id, payload.readUInt32BE()]).toEqual([5, 7]);
  await acknowledge(client);
});

test("a server that quits resets such streams before it closes their connection", async () => {
  await using server = await serve(refuse);
  const client = await FrameClient.connect(server);
  client.send(client.request(1, post, false));
  await client.response(1);
  const quitting = server.stage.quit(5000);
  await acknowledge(client);
  expect((await client.nextOfType(frameType.rstStream)).id).toBe(1);
  await client.nextOfType(frameType.ping);
  client.raw.socket.destroy();
  await quitting;
});

describeTransports(({ serve, isTLS }) => {
  const sessions: http2.ClientHttp2Session[] = [];
  afterEach(() => sessions.splice(0).forEach((session) => session.destroy()));

  test("Node's client is told of an answer to an upload that goes on, and of the end of its stream", async () => {
    await using server = await serve(refuse);
    const session = http2.connect(`${isTLS ? "https" : "http"}://127.0.0.1:${server.port}`, { ...server.tls });
    sessions.push(session);
    const stream = session.request({ ":method": "POST" });
    stream.write(Buffer.alloc(400_000));
    const [head] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
    stream.resume();
    await once(stream, "close");
    expect([head[":status"], stream.rstCode]).toEqual([405, 0]);
  });
});
