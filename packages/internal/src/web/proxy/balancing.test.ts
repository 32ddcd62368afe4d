import { expect, test } from "vitest";
import { variable } from "../../config/object.ts";
import { RawBackend } from "../../testing/raw-backend.ts";
import { request } from "../../testing/raw-client.ts";
import { proxyTo } from "../../testing/proxy.ts";

/** A backend that answers with its name. */
function named(name: string, port = 0): Promise<RawBackend> {
  return RawBackend.listen(async (conn) => {
    for (;;) {
      await conn.request();
      conn.answer(name);
    }
  }, port);
}

test("each node has its turn, by weight; a backup only when the others are gone", async () => {
  await using a = await named("a");
  await using b = await named("b");
  await using c = await named("c");
  await using proxy = await proxyTo([
    { address: a.address, weight: 2 },
    b.address,
    { address: c.address, backup: true },
  ]);
  const ask = async () => (await proxy.ask("GET /")).text;
  const texts: string[] = [];
  for (let i = 0; i < 6; i++) texts.push(await ask());
  expect(texts.join("")).toBe("abaaba");
  await a[Symbol.asyncDispose]();
  await b[Symbol.asyncDispose]();
  expect(await ask()).toBe("c");
});

test("a request that a node refuses goes to another one, a POST too", async () => {
  await using gone = await named("gone");
  const { address } = gone;
  await gone[Symbol.asyncDispose]();
  await using there = await named("there");
  await using proxy = await proxyTo([address, there.address]);
  for (const method of ["GET", "POST", "POST"]) {
    expect((await proxy.ask(request(`${method} /`, {}, method === "POST" ? "x" : ""))).text).toBe("there");
  }
});

test("sticky ties a client to its node by a cookie that tells nothing of addresses", async () => {
  await using a = await named("a");
  await using b = await named("b");
  await using proxy = await proxyTo([a.address, b.address], { backend: { balancer: "sticky" } });
  const first = await proxy.ask("GET /");
  const [, cookie = ""] =
    /^(hemi-node=[\w-]{12}); Path=\/; HttpOnly; SameSite=Lax$/.exec(first.headers["set-cookie"] ?? "") ?? [];
  expect(cookie).not.toBe("");
  for (let i = 0; i < 4; i++) {
    const answer = await proxy.ask(request("GET /", { cookie }));
    expect(answer.text).toBe(first.text);
    expect(answer.headers["set-cookie"]).toBeUndefined();
  }
  await (first.text === "a" ? a : b)[Symbol.asyncDispose]();
  const moved = await proxy.ask(request("GET /", { cookie }));
  expect(moved.text).not.toBe(first.text);
  expect(moved.headers["set-cookie"]).toContain("hemi-node=");
});

test("hash sends equal keys to one node", async () => {
  await using a = await named("a");
  await using b = await named("b");
  await using proxy = await proxyTo([a.address, b.address], {
    backend: { balancer: "hash" },
    proxy: { hashOn: variable("query_user") },
  });
  const texts = new Set<string>();
  for (let i = 0; i < 4; i++) texts.add((await proxy.ask("GET /?user=7")).text);
  expect(texts.size).toBe(1);
  for (let user = 0; user < 20; user++) texts.add((await proxy.ask(`GET /?user=${user}`)).text);
  expect(texts.size).toBe(2);
});

test("a node that checks find down gets nothing, and is back when they find it up", async () => {
  let isWell = true;
  await using a = await RawBackend.answering(({ line }, conn) => {
    if (line.startsWith("GET /up ")) conn.send(`HTTP/1.1 ${isWell ? 204 : 500} x\r\ncontent-length: 0\r\n\r\n`);
    else conn.answer("a");
  });
  await using b = await RawBackend.answering(({ line }, conn) => conn.answer(line.startsWith("GET /up ") ? "" : "b"));
  await using proxy = await proxyTo([a.address, b.address], {
    backend: { healthCheck: "http", healthPath: "/up", healthInterval: 10, healthRise: 1, healthFall: 1 },
  });
  const both = async () => [(await proxy.ask("GET /")).text, (await proxy.ask("GET /")).text].toSorted().join("");
  expect(await both()).toBe("ab");
  isWell = false;
  await expect
    .poll(() => proxy.log.join())
    .toContain(`node ${a.address} is down: 1 checks in a row failed, at last: it answered 500`);
  expect(await both()).toBe("bb");
  isWell = true;
  await expect.poll(() => proxy.log.join()).toContain(`node ${a.address} is up`);
  expect(await both()).toBe("ab");
});

test("a check asks for the host that it is told, and takes the statuses that it is told for good", async () => {
  const hosts = new Set<string>();
  let status = 204;
  await using backend = await RawBackend.answering(({ line, headers }, conn) => {
    if (line !== "GET /health HTTP/1.1") return conn.answer("ok");
    hosts.add(headers["host"] ?? "");
    return conn.send(`HTTP/1.1 ${status} x\r\ncontent-length: 0\r\n\r\n`);
  });
  await using proxy = await proxyTo([backend.address], {
    backend: {
      healthCheck: "http",
      healthPath: "/health",
      healthHost: "well.example",
      healthStatuses: [204],
      healthInterval: 20,
      healthRise: 1,
      healthFall: 1,
    },
  });
  await expect.poll(() => [...hosts]).toEqual(["well.example"]);
  expect((await proxy.ask("GET /")).text).toBe("ok");
  status = 200;
  await expect.poll(async () => (await proxy.ask("GET /")).status).toBe(503);
  expect(proxy.log.join()).toContain("it answered 200");
  status = 204;
  await expect.poll(async () => (await proxy.ask("GET /")).status).toBe(200);
});

test("who waits for a node when the stage drains still gets one, and holds it back no longer than its deadline", async () => {
  for (const [deadline, ending] of [
    [60_000, "HTTP/1.1 200 "],
    [50, ""],
  ] as const) {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await using backend = await RawBackend.answering(async (_, conn) => {
      await released;
      conn.answer("late");
    });
    await using proxy = await proxyTo([backend.address], { backend: { maxConnsPerNode: 1, queueTimeout: 60_000 } });
    await using first = await proxy.connect();
    await using second = await proxy.connect();
    first.send(request("GET /1"));
    await expect.poll(() => backend.conns.length).toBe(1);
    second.send(request("GET /2"));
    // What came on a connection that was opened later has been read once this is answered.
    await proxy.ask("GET /%zz");
    const quit = proxy.stage.quit(deadline);
    if (ending !== "") release();
    await quit;
    expect((await second.ending()).slice(0, 13)).toMatch(ending === "" ? /^(?:end|reset)$/ : ending);
  }
});

test("a node that fails in a row rests, and is used again when it has", async () => {
  let isBroken = true;
  let asked = 0;
  await using bad = await RawBackend.answering((_, conn) => {
    asked++;
    if (isBroken) conn.socket.destroy();
    else conn.answer("bad");
  });
  await using good = await RawBackend.answering((_, conn) => conn.answer("good"));
  await using proxy = await proxyTo([bad.address, good.address], { backend: { maxFails: 2, ejectTime: 300 } });
  while (!proxy.log.join().includes("rests")) expect((await proxy.ask("GET /")).text).toBe("good");
  const before = asked;
  for (let i = 0; i < 4; i++) expect((await proxy.ask("GET /")).text).toBe("good");
  expect(asked).toBe(before);
  isBroken = false;
  await expect.poll(async () => (await proxy.ask("GET /")).text).toBe("bad");
});

test("when all nodes have their fill requests wait, and when too many or for too long they get 503", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using backend = await RawBackend.answering(async (_, conn) => {
    await released;
    conn.answer("late");
  });
  await using proxy = await proxyTo([backend.address], {
    backend: { maxConnsPerNode: 1, maxQueued: 1, queueTimeout: 300 },
  });
  await using first = await proxy.connect();
  await using second = await proxy.connect();
  first.send(request("GET /1"));
  await expect.poll(() => backend.conns.length).toBe(1);
  second.send(request("GET /2"));
  expect((await second.response()).status).toBe(503);
  expect(proxy.log.join()).toContain("all nodes had their fill for 300 ms");
  second.send(request("GET /3"));
  await using third = await proxy.connect();
  await expect
    .poll(async () => (await proxy.ask("GET /4")).status === 503 && proxy.log.join().includes("and 1 wait"))
    .toBe(true);
  release();
  expect((await first.response()).text).toBe("late");
  await third[Symbol.asyncDispose]();
});

test("an open circuit breaker answers 503 at once", async () => {
  await using backend = await RawBackend.answering((_, conn) =>
    conn.send("HTTP/1.1 500 x\r\ncontent-length: 0\r\n\r\n"),
  );
  await using proxy = await proxyTo([backend.address], {
    backend: { breakerRatio: 50, breakerMinRequests: 3, failStatuses: [500] },
  });
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) statuses.push((await proxy.ask("GET /")).status);
  expect(statuses).toEqual([500, 500, 500, 503, 503]);
});
