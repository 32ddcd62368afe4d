// Responses that arrive to be stored: what they keep in memory, and when they are given up.

import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { cachedSite } from "../../testing/cached-site.ts";
import type { HandletPart } from "../kinds.ts";
import { KeptBytes, SharedContent } from "./shared-content.ts";

const piece = Buffer.alloc(64 * 1024, "a");

/** Sends so many pieces, and as many as are taken; `given` counts them. */
function streamOf(pieces: number): { readonly handle: HandletPart["handle"]; given: number; isAborted: boolean } {
  const stream = {
    given: 0,
    isAborted: false,
    async handle(...[req, resp]: Parameters<HandletPart["handle"]>): Promise<boolean> {
      resp.setHeader("cache-control", "max-age=60");
      req.onAbort(() => (stream.isAborted = true));
      for (let i = 0; i < pieces; i++) {
        await resp.echo(piece);
        stream.given++;
        await setImmediate();
      }
      resp.end();
      return true;
    },
  };
  return stream;
}

test("a response that gets too large to be stored is given up when its clients are gone", async () => {
  const stream = streamOf(Infinity);
  await using site = await cachedSite(stream.handle, "", { cacher: ".maxWobjectSize = 256K" });
  const client = connect(site.port, "127.0.0.1");
  await once(client, "connect");
  client.write("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n");
  await once(client, "data");
  client.destroy();
  await expect.poll(() => stream.isAborted, { timeout: 10_000 }).toBe(true);
});

test("a response that is validated in the background, and gets too large, is given up", async () => {
  const stream = streamOf(Infinity);
  let isFirst = true;
  await using site = await cachedSite(
    (req, resp) => {
      if (!isFirst) return stream.handle(req, resp);
      isFirst = false;
      resp.setHeader("cache-control", "max-age=1, stale-while-revalidate=60");
      resp.setHeader("etag", '"1"');
      resp.send("small");
      return true;
    },
    "",
    { cacher: ".maxWobjectSize = 256K" },
  );
  await site.get("/");
  site.wait(2);
  expect((await site.get("/")).text).toBe("small");
  await expect.poll(() => stream.isAborted, { timeout: 10_000 }).toBe(true);
});

test("clients that do not read cannot make the cache keep more than maxArriving", async () => {
  const stream = streamOf(2000);
  await using site = await cachedSite(stream.handle, ".maxArriving = 1M", {
    cacher: ".maxSize = 1G .maxWobjectSize = 200M",
  });
  const client = connect(site.port, "127.0.0.1").pause();
  await once(client, "connect");
  client.write("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n");
  // As long as it grows, and then as long again.
  let seen = 0;
  for (let still = 0; still < 200; still = stream.given === seen ? still + 1 : 0) {
    seen = stream.given;
    await setImmediate();
  }
  // The rest is in buffers of the system.
  expect(seen * piece.length).toBeLessThan(100 * 1024 * 1024);
  client.destroy();
  await expect.poll(() => stream.isAborted, { timeout: 10_000 }).toBe(true);
  expect((await site.cache.explainUrl("http://a.example/")).variants).toEqual([]);
});

test("what nobody reads any more is not counted", async () => {
  const kept = new KeptBytes(() => 1000);
  const content = new SharedContent(kept);
  content.add(Buffer.alloc(900));
  const [first, second] = [content.read(), content.read()];
  await Promise.all([first.next(), second.next()]);
  content.add(Buffer.alloc(200));
  content.end();
  expect([kept.size, kept.isFull]).toEqual([1100, true]);
  await first.return();
  expect(kept.size).toBe(1100);
  await second.return();
  expect([kept.size, kept.isFull]).toEqual([0, false]);

  const window = new SharedContent(kept);
  window.keepWindow();
  const reader = window.read();
  for (let i = 0; i < 3; i++) {
    window.add(Buffer.alloc(500));
    await reader.next();
  }
  expect(kept.size).toBe(500);
  window.fail(new Error("broken off"));
  await expect(reader.next()).rejects.toThrow("broken off");
  expect(kept.size).toBe(0);
});

test("a request after a purge gets nothing that was fetched before it", async () => {
  const go = Promise.withResolvers<void>();
  let version = 1;
  await using site = await cachedSite(async (_, resp) => {
    const text = `version ${version}`;
    await go.promise;
    resp.setHeader("cache-control", "max-age=600");
    resp.send(text);
    return true;
  });
  const before = site.get("/a");
  await expect.poll(() => site.asked()).toBe(1);
  version = 2;
  await site.cache.purge({ url: "http://a.example/a" });
  const after = site.get("/a");
  await expect.poll(() => site.asked()).toBe(2);
  go.resolve();
  expect((await before).text).toBe("version 1");
  expect((await after).text).toBe("version 2");
});
