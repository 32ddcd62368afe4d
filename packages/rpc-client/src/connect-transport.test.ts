// What goes out over fetch.

import { bundlet, makeClient, Metadata, RpcError, serverStreaming, unary } from "@hemi/common/rpc";
import { expect, test } from "vitest";
import { connectTransport } from "./connect-transport.ts";

/** Takes anything. */
const text = { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } } as const;
const echo = bundlet("a.B", {
  say: unary({ input: text, output: text }),
  follow: serverStreaming({ input: text, output: text }),
});

test("metadata goes out as it is, also under names that objects of JavaScript have", async () => {
  const sent = new Headers();
  const transport = connectTransport("http://shop.example", {
    fetch: (_url, init) => {
      for (const [name, value] of new Headers(init?.headers)) sent.set(name, value);
      return Promise.resolve(Response.json({ text: "" }));
    },
  });
  const metadata = new Metadata({ constructor: "a", "x-b": "1" });
  metadata.append("x-b", "2");
  await makeClient(echo, transport).say({ text: "" }, { metadata });
  expect([sent.get("constructor"), sent.get("x-b")]).toEqual(["a", "1, 2"]);
});

test.each([
  ["one message", "application/json", "{"],
  ["messages", "application/connect+json", "\0\0\0\0\u0001{"],
  ["events", "text/event-stream", "data: {\n\n"],
])("an answer of %s that is no JSON is an RpcError", async (what, type, content) => {
  const transport = connectTransport("http://shop.example", {
    eventStreams: what === "events",
    fetch: () => Promise.resolve(new Response(content, { headers: { "content-type": type } })),
  });
  const { say, follow } = makeClient(echo, transport);
  const answer = what === "one message" ? say({}) : follow({})[Symbol.asyncIterator]().next();
  const error = await answer.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(RpcError);
  expect(error).toMatchObject({ code: "invalid_argument", message: "a message cannot be decoded" });
});

test("an answer of a type that was not asked for is an error, and not read any further", async () => {
  let isCanceled = false;
  const body = new ReadableStream({ cancel: () => void (isCanceled = true) });
  const transport = connectTransport("http://shop.example", {
    fetch: () => Promise.resolve(new Response(body, { headers: { "content-type": "text/html" } })),
  });
  const message = 'the server answered with the type "text/html" instead of application/json';
  await expect(makeClient(echo, transport).say({})).rejects.toMatchObject({ code: "unknown", message });
  expect(isCanceled).toBe(true);
});
