import { Duplex, duplexPair } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { frameOf, FrameReader } from "./frames.ts";
import { CallError, Messenger } from "./messenger.ts";

test("messages arrive whole and in order, however their bytes are split", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.array(fc.integer({ min: 1, max: 20 })), (messages, sizes) => {
      const bytes = Buffer.concat(messages.map(frameOf));
      const reader = new FrameReader(1_000_000);
      const read: unknown[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = sizes[i % Math.max(sizes.length, 1)] ?? 7;
        read.push(...reader.push(bytes.subarray(at, at + size)));
        at += size;
      }
      expect(read).toEqual(messages.map((message): unknown => JSON.parse(JSON.stringify(message))));
    }),
  );
});

test("a frame beyond the maximum is refused by its length alone", () => {
  const reader = new FrameReader(100);
  expect(() => reader.push(Buffer.from([0x40, 0, 0, 0]))).toThrow("a frame of 1073741824 bytes; the maximum is 100");
});

test("both sides call, and an error comes back with its code", async () => {
  const [left, right] = duplexPair();
  const told: unknown[] = [];
  const server = new Messenger(left, {
    serve(name, params) {
      if (name === "fail")
        throw Object.assign(new Error("no such worker"), { code: "HEMI_USAGE", details: { slot: 3 } });
      if (name === "news") return void told.push(params);
      return { name, params };
    },
  });
  const client = new Messenger(right, { serve: (name) => `served ${name}` });
  client.tell("news", 1);
  expect(await client.call("workers", { all: true })).toEqual({ name: "workers", params: { all: true } });
  expect(await server.call("back")).toBe("served back");
  const error = await client.call("fail").catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CallError);
  expect(error).toMatchObject({ message: "no such worker", code: "HEMI_USAGE", details: { slot: 3 } });
  expect(told).toEqual([1]);
});

test.each([
  ["garbage", Buffer.from("GET / HTTP/1.1\r\n\r\n"), /maximum/],
  ["no JSON", Buffer.concat([Buffer.from([0, 0, 0, 1]), Buffer.from("{")]), /JSON/],
  ["no object", frameOf(5), /no object/],
  ["an answer that nobody waits for", frameOf({ id: 7, result: 1 }), /neither/],
])("%s ends the connection", async (_title, bytes, reason) => {
  const [left, right] = duplexPair();
  const closed = Promise.withResolvers<Error | undefined>();
  new Messenger(left, { maxMessage: 1000, closed: closed.resolve });
  right.write(bytes);
  expect((await closed.promise)?.message).toMatch(reason);
});

test("a call is rejected when the other side closes before the answer", async () => {
  const [left, right] = duplexPair();
  new Messenger(left, { serve: () => new Promise(() => {}) });
  const client = new Messenger(right);
  const call = client.call("never");
  left.destroy();
  right.destroy();
  await expect(call).rejects.toThrow("closed before the answer");
});

test("a client that calls and never reads the answers does not fill the memory", async () => {
  // What is written to it never arrives.
  const stream = new Duplex({ read() {}, write() {} });
  let served = 0;
  new Messenger(stream, {
    serve() {
      served++;
      return "x".repeat(100_000);
    },
  });
  for (let id = 1; id <= 100; id++) {
    stream.push(frameOf({ id, call: "counts" }));
    await turn();
  }
  expect(served).toBeLessThan(10);
  expect(stream.writableLength).toBeLessThan(1_000_000);
});
