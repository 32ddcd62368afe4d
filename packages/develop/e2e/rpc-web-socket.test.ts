// hrpc over WebSockets: the way of browsers to procedures that stream in both directions.

import { implement } from "@hemi/hemi";
import { serveRpc, type RpcSite } from "@hemi/internal/testing";
import { bidiStreaming, bundlet, client, RpcError, unary, webSocketTransport } from "@hemi/rpc-client";
import { expect, test } from "vitest";
import { z } from "zod";

const text = z.object({ text: z.string() });
const chat = bundlet("test.Chat", {
  shout: unary({ input: text, output: text }),
  talk: bidiStreaming({ input: text, output: text }),
});

async function serve(props = '.webSocket = "/hrpc"'): Promise<{ readonly site: RpcSite; readonly events: string[] }> {
  const events: string[] = [];
  const served = implement(chat, {
    shout({ text }) {
      if (text === "") throw new RpcError("invalid_argument", "say something");
      return { text: text.toUpperCase() };
    },
    async *talk(inputs, call) {
      call.signal.addEventListener("abort", () => events.push("gone"));
      for await (const { text } of inputs) yield { text: `${text}!` };
      events.push("done");
    },
  });
  return { site: await serveRpc({ bundlets: [served], props }), events };
}

const urlOf = (site: RpcSite, path = "/hrpc"): string => `ws://127.0.0.1:${site.port}${path}`;

test("a client over a WebSocket talks in both directions at the same time, and makes other calls beside", async () => {
  const { site, events } = await serve();
  await using _site = site;
  const transport = webSocketTransport(urlOf(site));
  const { shout, talk } = client(chat, { to: transport });
  const next = Promise.withResolvers<void>();
  async function* inputs() {
    yield { text: "a" };
    await next.promise;
    yield { text: "b".repeat(100_000) };
  }
  const got: number[] = [];
  for await (const { text } of talk(inputs())) {
    got.push(text.length);
    expect(await shout({ text: "x" })).toEqual({ text: "X" });
    next.resolve();
  }
  expect(got).toEqual([2, 100_001]);
  expect(events).toEqual(["done"]);
  await expect(shout({ text: "" })).rejects.toMatchObject({ code: "invalid_argument", message: "say something" });
  transport.close();
});

test("a client that closes its WebSocket ends its calls at the server", async () => {
  const { site, events } = await serve();
  await using _site = site;
  const transport = webSocketTransport(urlOf(site));
  const { talk } = client(chat, { to: transport });
  async function* inputs() {
    yield { text: "a" };
    await new Promise(() => undefined);
  }
  const answers = talk(inputs())[Symbol.asyncIterator]();
  expect((await answers.next()).value).toEqual({ text: "a!" });
  transport.close();
  await expect(answers.next()).rejects.toMatchObject({ code: "unavailable" });
  await expect.poll(() => events).toEqual(["gone"]);
});

test("a path without WebSockets, and a site without them, give unavailable", async () => {
  const { site } = await serve();
  await using _site = site;
  const elsewhere = client(chat, { to: webSocketTransport(urlOf(site, "/other")), retries: 0 });
  await expect(elsewhere.shout({ text: "a" })).rejects.toMatchObject({ code: "unavailable" });
  const { site: without } = await serve("");
  await using _without = without;
  const none = client(chat, { to: webSocketTransport(urlOf(without)), retries: 0 });
  await expect(none.shout({ text: "a" })).rejects.toMatchObject({ code: "unavailable" });
});

test("a WebSocket that speaks no hrpc is closed, and the site serves on", async () => {
  const { site } = await serve();
  await using _site = site;
  const closed = (socket: WebSocket): Promise<number> =>
    new Promise((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
  const plain = new WebSocket(urlOf(site));
  expect(await closed(plain)).toBe(1002);
  const talkative = new WebSocket(urlOf(site), ["hrpc"]);
  talkative.addEventListener("open", () => talkative.send("hello"));
  expect(await closed(talkative)).toBe(1000);
  const garbage = new WebSocket(urlOf(site), ["hrpc"]);
  garbage.addEventListener("open", () => garbage.send(new Uint8Array(100)));
  expect(await closed(garbage)).toBe(1000);
  const transport = webSocketTransport(urlOf(site));
  expect(await client(chat, { to: transport }).shout({ text: "a" })).toEqual({ text: "A" });
  transport.close();
});
