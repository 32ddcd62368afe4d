import { expect, test } from "vitest";
import { serve } from "../testing/serve.ts";
import { FrameClient } from "../testing/frame-client.ts";

test("content may still be on its way for as many streams that we have reset as may be open at once", async () => {
  const streams = 600;
  await using server = await serve({
    handlets: [(_req, resp) => (resp.send("enough"), true)],
    settings: { http2MaxStreams: streams },
  });
  const client = await FrameClient.connect(server);
  const post = { ":method": "POST" };
  for (let i = 0; i < streams; i++) client.send(client.request(2 * i + 1, post, false));
  expect(await client.reset(2 * streams - 1)).toBe("NO_ERROR");
  client.send(client.data(1, "x".repeat(200), true));
  await client.roundTrip();
});
