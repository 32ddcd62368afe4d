import { once } from "node:events";
import type { Server } from "node:http";
import { fileURLToPath } from "node:url";
import { bootFile, type ServerPart } from "@hemi/hemi";
import { expect, test } from "vitest";
import { startApp } from "./app.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

function portOf(server: Server): number {
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : 0;
}

async function stop(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}

async function start() {
  const stack = new AsyncDisposableStack();
  const apps = { one: await startApp("one", 0), two: await startApp("two", 0) };
  const ports = { one: portOf(apps.one), two: portOf(apps.two) };
  stack.defer(async () => {
    const running = Object.values(apps).filter((app) => app.listening);
    await Promise.all(running.map(stop));
  });
  const env = { PORT: "0", APP_1: String(ports.one), APP_2: String(ports.two) };
  const stage = stack.use(await bootFile(`${here}proxy.conf`, { baseDir: here, env }));
  await stage.start();
  const { listensOn: [address = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  return { stack, apps, ports, url: `http://${address.replace("[::]", "127.0.0.1")}` };
}

/** A client that keeps its cookies. */
function client(url: string) {
  const cookies = new Map<string, string>();
  return async (path: string): Promise<{ status: number; app: string; path: string; visits: number }> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url + path, { headers: { cookie } });
    for (const field of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(field) ?? [];
      cookies.set(name, value);
    }
    const answer = response.ok ? ((await response.json()) as { app: string; path: string; visits: number }) : undefined;
    return { status: response.status, app: "", path: "", visits: 0, ...answer };
  };
}

test("a client stays with its server, and moves on when that is gone", async () => {
  const { stack, apps, url } = await start();
  await using _ = stack;
  const ask = client(url);
  const first = await ask("/api/cart?x=1");
  expect(first).toMatchObject({ status: 200, path: "/cart?x=1", visits: 1 });
  for (let visits = 2; visits < 5; visits++) expect(await ask("/")).toMatchObject({ app: first.app, visits });
  await stop(first.app === "one" ? apps.one : apps.two);
  const moved = await ask("/");
  expect(moved.status).toBe(200);
  expect(moved.app).not.toBe(first.app);
  expect(await ask("/")).toMatchObject({ app: moved.app, visits: moved.visits + 1 });
});

test("no idempotent request fails while a server is killed and comes back under load", async () => {
  const { stack, apps, ports, url } = await start();
  await using _ = stack;
  const statuses = new Map<number, number>();
  const answeredBy = new Set<string>();
  let isOver = false;
  let count = 0;
  const load = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      // Each time another client, so that both servers are asked.
      const { status, app } = await client(url)("/api/x");
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      answeredBy.add(app);
      count++;
    }
  });
  const more = async (requests: number) => {
    const goal = count + requests;
    await expect.poll(() => count, { timeout: 15_000 }).toBeGreaterThan(goal);
  };
  await more(200);
  expect(answeredBy).toEqual(new Set(["one", "two"]));
  await stop(apps.one);
  await more(200);
  answeredBy.clear();
  await more(100);
  expect(answeredBy).toEqual(new Set(["two"]));
  apps.one = await startApp("one", ports.one);
  await expect.poll(() => answeredBy.has("one"), { timeout: 15_000 }).toBe(true);
  isOver = true;
  await Promise.all(load);
  expect([...statuses.keys()]).toEqual([200]);
});
