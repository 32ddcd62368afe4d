// What goes out over fetch.

import { bundlet, makeClient, Metadata, unary } from "@hemi/common/rpc";
import { expect, test } from "vitest";
import { connectTransport } from "./connect-transport.ts";

test("metadata goes out as it is, also under names that objects of JavaScript have", async () => {
  const text = { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } } as const;
  const sent = new Headers();
  const transport = connectTransport("http://shop.example", {
    fetch: (_url, init) => {
      for (const [name, value] of new Headers(init?.headers)) sent.set(name, value);
      return Promise.resolve(Response.json({ text: "" }));
    },
  });
  const metadata = new Metadata({ constructor: "a", "x-b": "1" });
  metadata.append("x-b", "2");
  await makeClient(bundlet("a.B", { say: unary({ input: text, output: text }) }), transport).say(
    { text: "" },
    { metadata },
  );
  expect([sent.get("constructor"), sent.get("x-b")]).toEqual(["a", "1, 2"]);
});
