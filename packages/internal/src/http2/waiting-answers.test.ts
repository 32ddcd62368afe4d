// What is kept of a request whose answer waits for its client.

import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { FrameClient, frame } from "../testing/frame-client.ts";
import { serve } from "../testing/serve.ts";
import { frameType, settingId } from "./frames.ts";

test("an answer that waits for its client keeps neither request nor response", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const made: WeakRef<object>[] = [];
  await using server = await serve((req, resp) => {
    made.push(new WeakRef(req), new WeakRef(resp));
    resp.send("hello");
    return true;
  });
  const client = await FrameClient.connect(server, { [settingId.initialWindowSize]: 0 });
  await client.send(client.request(1)).roundTrip();
  await turn();
  collect();
  expect(made.map((ref) => ref.deref())).toEqual([undefined, undefined]);
  client.send(frame(frameType.windowUpdate, 0, 1, 5));
  expect(await client.response(1)).toMatchObject({ status: 200, text: "hello" });
});
