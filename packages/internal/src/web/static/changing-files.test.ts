// Files that change between the moment when they were opened and the last byte that is sent of them.

import { appendFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { request } from "../../testing/raw-client.ts";
import { serve } from "../../testing/serve.ts";
import { big, makeSite } from "../../testing/static-site.ts";

const size = big.length;

/** A site whose file is known and open, behind a server; the fcache looks at it no more. */
async function makeOpened() {
  const stack = new AsyncDisposableStack();
  const site = stack.use(await makeSite({ files: { "web/sub/a.txt": big } }));
  const server = stack.use(await serve((req, resp) => site.part.handle(req, resp)));
  await site.ask({ method: "HEAD", url: "/sub/a.txt" });
  const path = join(site.dir, "web/sub/a.txt");
  return { site, server, path, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const ranges = { all: {}, "one range": { range: "bytes=0-299990" }, "two ranges": { range: "bytes=0-0,2-299990" } };

describe.each(Object.entries(ranges))("of %s", (_what, headers: Record<string, string>) => {
  const asked = request("GET /sub/a.txt", headers);

  test.each([
    ["a part", 70_000],
    ["nothing", 0],
  ])("a file of which only %s is left is broken off for all to see", async (_what, left) => {
    await using opened = await makeOpened();
    await truncate(opened.path, left);
    await using client = await opened.server.connect();
    await expect(client.send(asked).response()).rejects.toThrow("the server ended the connection");
    expect(opened.server.log.join("\n")).toContain("the file ended");
    await opened.site.fcache.shutdown();
    expect(opened.site.fcache.openFiles).toBe(0);
  });

  test.each<[string, (path: string) => Promise<unknown>]>([
    ["grew", (path) => appendFile(path, "more")],
    ["was replaced", (path) => writeFile(`${path}.new`, "new").then(() => rename(`${path}.new`, path))],
    ["was removed", (path) => rm(path)],
    ["was removed with its folder", (path) => rm(join(path, ".."), { recursive: true })],
  ])("a file that %s is sent as it was, and the connection goes on", async (_what, change) => {
    await using opened = await makeOpened();
    const before = await opened.server.ask(asked);
    await change(opened.path);
    await using client = await opened.server.connect();
    const after = await client.send(asked).response();
    expect(after.framing).toBe("sized");
    expect(after.headers["etag"]).toBe(before.headers["etag"]);
    expect(after.content.length).toBe(before.content.length);
    if (headers["range"] === undefined) expect(after.text).toBe(big);
    expect((await client.send(request("GET /sub/none")).response()).status).toBe(404);
  });
});

test.each([
  ["shrinks", (path: string) => truncate(path, 100_000)],
  ["is emptied", (path: string) => truncate(path, 0)],
])("a file that %s while it is sent is broken off", async (_what, change) => {
  await using site = await makeSite({ files: { "web/a.txt": big } });
  let sent = 0;
  await using server = await serve((req, resp) => {
    resp.addHook({
      by: resp,
      rank: 0,
      path: "test",
      hook: () => ({
        async push(piece, next) {
          if (sent === 0) await change(join(site.dir, "web/a.txt"));
          sent += piece.length;
          await next(piece);
        },
      }),
    });
    return site.part.handle(req, resp);
  });
  await using client = await server.connect();
  await expect(client.send(request("GET /a.txt")).response()).rejects.toThrow("the server ended the connection");
  expect(sent).toBeGreaterThan(0);
  expect(sent).toBeLessThan(size);
});

test("a file that shrank is sent as it is, once it is looked at again", async () => {
  await using opened = await makeOpened();
  await truncate(opened.path, 150);
  opened.site.later();
  expect(await opened.server.ask("GET /sub/a.txt")).toMatchObject({ status: 200, text: big.slice(0, 150) });
});
