import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { HandletPart } from "../web/kinds.ts";
import { frame, FrameClient } from "../testing/frame-client.ts";
import { describeTransports } from "../testing/serve.ts";
import { defaultWindow, frameType, maxWindow, settingId } from "./frames.ts";

type Handle = HandletPart["handle"];

const hello: Handle = (_req, resp) => (resp.send("hello"), true);

describeTransports(({ serve }) => {
  test("answers are dated by the time of their write, whatever is written in front of them", async () => {
    let wall = Date.UTC(2026, 0, 1);
    await using server = await serve({ handlets: [hello], wall: () => wall });
    const client = await FrameClient.connect(server);
    await client.roundTrip();
    const dated = async (id: number): Promise<unknown> => (await client.response(id)).headers["date"];
    client.send(client.request(1), client.request(3));
    expect([await dated(1), await dated(3)]).toEqual(Array(2).fill("Thu, 01 Jan 2026 00:00:00 GMT"));
    wall += 5000;
    client.send(frame(frameType.ping, 0, 0, "12345678"), client.request(5));
    expect(await dated(5)).toBe("Thu, 01 Jan 2026 00:00:05 GMT");
  });

  test("answers are dated by their own time, though they wait together until the client reads", async () => {
    let wall = Date.UTC(2026, 0, 1);
    let calls = 0;
    const large = Buffer.alloc(16 * 1024 * 1024);
    const handle: Handle = (req, resp) => (calls++, resp.send(req.path === "/large" ? large : "hello"), true);
    await using server = await serve({ handlets: [handle], wall: () => wall });
    const client = await FrameClient.connect(server, { [settingId.initialWindowSize]: maxWindow });
    client.raw.socket.pause();
    client.send(frame(frameType.windowUpdate, 0, 0, maxWindow - defaultWindow));
    client.send(client.request(1, { ":path": "/large" }));
    // The buffers of the system are full after some turns.
    for (let i = 0; i < 1000; i++) await turn();
    for (const id of [3, 5]) {
      const before = calls;
      client.send(client.request(id));
      await expect.poll(() => calls).toBe(before + 1);
      wall += 5000;
    }
    client.raw.socket.resume();
    await client.response(1);
    expect((await client.response(3)).headers["date"]).toBe("Thu, 01 Jan 2026 00:00:00 GMT");
    expect((await client.response(5)).headers["date"]).toBe("Thu, 01 Jan 2026 00:00:05 GMT");
  });
});
