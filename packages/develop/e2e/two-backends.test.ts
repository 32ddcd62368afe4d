// One configuration with two servers of Node.js, sticky sessions and a chat: curl, WebSocket clients, and a server that
// is killed.

import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test, type TestContext } from "vitest";
import { peer } from "../src/peers.ts";
import { serveTwoBackends, type AppName, type TwoBackends } from "./two-backends-site.ts";

interface Visit {
  readonly app: AppName;
  readonly path: string;
  readonly visits: number;
}

/** curl with a cookie jar of its own. */
async function browse({ url }: TwoBackends, context: TestContext) {
  const program = peer("curl", context);
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-two-backends-"));
  const jar = join(folder.path, "jar");
  const curl = async (path: string, ...args: string[]): Promise<string> => {
    const all = ["-sS", "--fail", "-m", "20", "-c", jar, "-b", jar, ...args, url + path];
    return (await promisify(execFile)(program, all)).stdout;
  };
  return {
    curl,
    visit: async (path: string) => JSON.parse(await curl(path)) as Visit,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** Someone in the room, with all that was heard there so far. */
async function enter({ url }: TwoBackends): Promise<{ ws: WebSocket; heard: unknown[] }> {
  const ws = new WebSocket(`${url.replace("http", "ws")}/room`);
  const heard: unknown[] = [];
  ws.addEventListener("message", ({ data }) => heard.push(JSON.parse(String(data))));
  await once(ws, "open");
  return { ws, heard };
}

test("its configuration has 60 lines at most", async () => {
  const file = new URL("../../../examples/two-backends/proxy.conf", import.meta.url);
  expect((await readFile(file, "utf8")).trimEnd().split("\n").length).toBeLessThanOrEqual(60);
});

test("a client of curl stays with its server, and moves on when that is killed", async (context) => {
  await using site = await serveTwoBackends();
  await using client = await browse(site, context);
  const first = await client.visit("/api/cart?x=1");
  expect(first).toMatchObject({ path: "/cart?x=1", visits: 1 });
  for (let visits = 2; visits < 5; visits++) {
    expect(await client.visit("/api/visits")).toEqual({ app: first.app, path: "/visits", visits });
  }
  expect(await client.curl("/api/x", "-i")).toMatch(/^HTTP\/1.1 200 [^]*\r\ncache-control: no-store\r\n/);
  expect(await client.curl("/")).toContain("<title>Chat</title>");
  await site.kill(first.app);
  const moved = await client.visit("/api/visits");
  expect(moved.app).not.toBe(first.app);
  expect(await client.visit("/api/visits")).toMatchObject({ app: moved.app, visits: moved.visits + 1 });
});

test("all who enter the room meet in it, and again on the other server when theirs is killed", async () => {
  await using site = await serveTwoBackends();
  const guests = await Promise.all([1, 2, 3, 4].map(() => enter(site)));
  guests[0]?.ws.send("hello");
  for (const { heard } of guests) await expect.poll(() => heard.at(-1)).toMatchObject({ text: "hello" });
  const walk = await site.stage.explain({
    url: `${site.url}/room`,
    headers: { connection: "upgrade", upgrade: "websocket", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" },
  });
  const details = walk.rules?.flatMap(({ asked = [] }) => asked.flatMap(({ details = [] }) => details)) ?? [];
  expect(details.length).toBe(2);
  const isOne = details[0]?.includes("another was better") === false;
  const closed = guests.map(({ ws }) => once(ws, "close"));
  await site.kill(isOne ? "one" : "two");
  await Promise.all(closed);
  const again = await Promise.all([1, 2].map(() => enter(site)));
  again[0]?.ws.send("still there?");
  for (const { ws, heard } of again) {
    await expect.poll(() => heard.at(-1)).toMatchObject({ text: "still there?" });
    ws.close();
  }
});

test("no idempotent request fails while a server is killed and comes back under load, and the chat goes on", async () => {
  await using site = await serveTwoBackends();
  const statuses = new Set<number>();
  const answeredBy = new Set<string>();
  let isOver = false;
  let count = 0;
  const load = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      // Each time another client, so that both servers are asked.
      const response = await fetch(`${site.url}/api/x`);
      statuses.add(response.status);
      if (response.ok) answeredBy.add(((await response.json()) as Visit).app);
      else await response.body?.cancel();
      count++;
    }
  });
  const more = async (requests: number) => {
    const goal = count + requests;
    await expect.poll(() => count, { timeout: 15_000 }).toBeGreaterThan(goal);
  };
  await more(200);
  expect(answeredBy).toEqual(new Set(["one", "two"]));
  await site.kill("one");
  await more(200);
  answeredBy.clear();
  await more(100);
  expect(answeredBy).toEqual(new Set(["two"]));
  const { ws, heard } = await enter(site);
  ws.send("under load");
  await expect.poll(() => heard.at(-1)).toMatchObject({ text: "under load" });
  ws.close();
  await site.restart("one");
  await expect.poll(() => answeredBy.has("one"), { timeout: 15_000 }).toBe(true);
  isOver = true;
  await Promise.all(load);
  expect(statuses).toEqual(new Set([200]));
});
