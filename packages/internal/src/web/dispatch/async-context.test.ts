import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { FrameClient } from "../../testing/frame-client.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { describeTransports } from "../../testing/serve.ts";
import { request } from "../../testing/raw-client.ts";

const storage = new AsyncLocalStorage<string>();

/** Tells what it finds, and enters a context of its own, by which it answers: a little later, but for `/at-once`. */
function enter(req: Request, resp: Response): true | Promise<boolean> {
  if (!req.path.startsWith("/at-once")) return enterForLater(req, resp);
  const found = storage.getStore() ?? "nothing";
  storage.enterWith(req.path);
  resp.send(`${found}, then ${storage.getStore()}`);
  return true;
}

async function enterForLater(req: Request, resp: Response): Promise<boolean> {
  const found = storage.getStore() ?? "nothing";
  if (req.path.startsWith("/enter")) storage.enterWith(req.path);
  if (req.path.startsWith("/run")) return await storage.run(req.path, () => answer(found, resp));
  return await answer(found, resp);
}

async function answer(found: string, resp: Response): Promise<boolean> {
  await sleep(2);
  resp.send(`${found}, then ${storage.getStore() ?? "nothing"}`);
  return true;
}

describeTransports(({ serve }) => {
  test.each(["/run", "/enter", "/at-once"])(
    "requests behind each other on a connection share no context (%s)",
    async (how) => {
      await using server = await serve(enter);
      await using client = await server.connect();
      client.send([1, 2, 3].map((i) => request(`GET ${how}${i}`)).join(""));
      for (const i of [1, 2, 3]) expect((await client.response()).text).toBe(`nothing, then ${how}${i}`);
      const { text } = await client.send(request(`GET ${how}4`)).response();
      expect(text).toBe(`nothing, then ${how}4`);
    },
  );

  test.each(["/run", "/enter", "/at-once"])(
    "requests beside each other on a connection share no context (%s)",
    async (how) => {
      await using server = await serve(enter);
      const client = await FrameClient.connect(server);
      client.send(...[1, 3, 5].map((id) => client.request(id, { ":path": `${how}${id}` })));
      for (const id of [1, 3, 5]) expect((await client.response(id)).text).toBe(`nothing, then ${how}${id}`);
    },
  );
});
