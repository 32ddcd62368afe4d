// What a reload that changes a backend does to the requests that are at its nodes, and to its connections.

import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { RawBackend } from "../testing/raw-backend.ts";
import { RawClient, request } from "../testing/raw-client.ts";
import type { ServerPart } from "../stage/kinds/server.ts";

function site(nodes: readonly string[], backend = "", settings = "", name = "app"): string {
  const list = nodes.map((node) => `["address": "${node}"]`).join(", ");
  return `stage { ${settings}
    http1Backend "${name}" { .nodes = (${list}) ${backend} }
    webapp "all" { .hostnames = ("*") rule { httpProxy { .toBackend = "${name}" } } }
    httpxServer "main" { .webapps = ("all") .address = "127.0.0.1:0" }
  }`;
}

async function proxying(text: string) {
  const sink = new MemorySink();
  const stage = await bootWith([]).bootText(text, { log: openErrorLog({ level: "debug", sink }) });
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const connect = () => RawClient.connect({ host: "127.0.0.1", port: Number(listensOn.replace(/^.*:/, "")) });
  return {
    stage,
    connect,
    reload: (text: string) => stage.reload({ text }),
    async ask(): Promise<string> {
      await using client = await connect();
      const { status, content } = await client.send(request("GET /")).response();
      return `${status} ${content.toString()}`;
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

test("a backend that is dropped ends the answers that it streams, and the uploads that it takes", async () => {
  const going = Promise.withResolvers<void>();
  await using node = await RawBackend.listen(async (conn) => {
    const { line } = await conn.head();
    if (line.startsWith("GET /stream")) {
      conn.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegin");
      await going.promise;
      conn.send(" end");
    } else if (line.startsWith("POST")) conn.answer(`took ${await conn.exactly(6)}`);
    else conn.answer("new");
  });
  await using proxy = await proxying(site([node.address]));
  await using reader = await proxy.connect();
  await using writer = await proxy.connect();
  reader.send(request("GET /stream"));
  await reader.through("begin");
  writer.send(`${request("POST /upload", { "content-length": "6" })}abc`);
  await expect.poll(() => node.conns.length).toBe(2);
  const { created, departed } = await proxy.reload(site([node.address], "", "", "other"));
  expect(created).toContain("http1Backend.other");
  expect(await proxy.ask()).toBe("200 new");
  writer.send("def");
  expect((await writer.response()).content.toString()).toBe("took abcdef");
  going.resolve();
  await reader.through(" end");
  await departed;
});

test("a backend that is dropped breaks off at drainTimeout what does not end", async () => {
  await using node = await RawBackend.listen(async (conn) => {
    await conn.head();
    conn.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegin");
  });
  const drainTimeout = ".drainTimeout = 20ms";
  await using proxy = await proxying(site([node.address], "", drainTimeout));
  await using reader = await proxy.connect();
  reader.send(request("GET /stream"));
  await reader.through("begin");
  const { departed } = await proxy.reload(site([node.address], "", drainTimeout, "other"));
  await departed;
  expect(await reader.ending()).toMatch(/^(end|reset)$/);
});

test("a backend takes another node, and keeps those that it has with their connections", async () => {
  await using a = await RawBackend.answering((_, conn) => conn.answer("a"));
  await using b = await RawBackend.answering((_, conn) => conn.answer("b"));
  await using proxy = await proxying(site([a.address]));
  expect(await proxy.ask()).toBe("200 a");
  const { updated, created } = await proxy.reload(site([a.address, b.address]));
  expect({ updated, created }).toEqual({ updated: ["http1Backend.app"], created: [] });
  const answers = new Set([await proxy.ask(), await proxy.ask(), await proxy.ask(), await proxy.ask()]);
  expect([...answers].sort()).toEqual(["200 a", "200 b"]);
  expect([a.conns.length, b.conns.length]).toEqual([1, 1]);
});

test("a node that a reload takes away finishes what it has, and gets nothing more", async () => {
  const going = Promise.withResolvers<void>();
  await using a = await RawBackend.answering(async (_, conn) => {
    await going.promise;
    conn.answer("a");
  });
  await using b = await RawBackend.answering((_, conn) => conn.answer("b"));
  await using proxy = await proxying(site([a.address]));
  const held = proxy.ask();
  await expect.poll(() => a.conns.length).toBe(1);
  await proxy.reload(site([b.address]));
  expect([await proxy.ask(), await proxy.ask()]).toEqual(["200 b", "200 b"]);
  going.resolve();
  expect(await held).toBe("200 a");
  expect(await a.conns[0]?.ended()).toBe(true);
  expect(a.conns).toHaveLength(1);
});

test("a node whose name takes the place of its address leaves no moment without a node", async () => {
  await using node = await RawBackend.answering((_, conn) => conn.answer("here"));
  await using proxy = await proxying(site([node.address]));
  expect(await proxy.ask()).toBe("200 here");
  await proxy.reload(site([`localhost:${node.port}`]));
  expect([await proxy.ask(), await proxy.ask()]).toEqual(["200 here", "200 here"]);
  await proxy.reload(site(["no-such-name.invalid:80"], ".dialTimeout = 60s"));
  expect(await proxy.ask()).toBe("200 here");
});

test("keepConns of a backend and of a node hold from the reload on", async () => {
  await using node = await RawBackend.answering((_, conn) => conn.answer("here"));
  await using proxy = await proxying(site([node.address]));
  await proxy.ask();
  await proxy.ask();
  expect(node.conns).toHaveLength(1);
  await proxy.reload(site([node.address], ".keepConns = 0"));
  await proxy.ask();
  await proxy.ask();
  expect(node.conns).toHaveLength(2);
  const own = site([node.address], ".keepConns = 0").replace('"]', '", "keepConns": 1]');
  await proxy.reload(own);
  for (let i = 0; i < 3; i++) await proxy.ask();
  expect(node.conns).toHaveLength(3);
});

test.each([
  ['.balancer = "random"', "200 next"],
  ['.balancer = "sticky" .stickyCookie = "node"', "200 next"],
  ['.healthCheck = "tcp" .healthInterval = 10ms', "200 next"],
  ['.proxyProtocol = "v1"', "200 PROXY TCP4"],
  // The node does not speak TLS.
  [".tlsMode = true .tlsVerify = false .dialTimeout = 100ms", "504 "],
])("an answer goes on while the backend follows %s", async (settings, next) => {
  const going = Promise.withResolvers<void>();
  await using node = await RawBackend.listen(async (conn) => {
    for (;;) {
      const line = await conn.through("\r\n");
      await conn.through("\r\n\r\n");
      if (line.startsWith("GET /stream")) {
        conn.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegin");
        await going.promise;
        conn.send(" end");
      } else conn.answer(line.startsWith("PROXY") ? line.slice(0, 10) : "next");
    }
  });
  await using proxy = await proxying(site([node.address]));
  await using reader = await proxy.connect();
  reader.send(request("GET /stream"));
  await reader.through("begin");
  expect(await proxy.ask()).toBe("200 next");
  for (const backend of [settings, ""]) {
    const { updated, created, dropped } = await proxy.reload(site([node.address], backend));
    expect({ updated, created, dropped }).toEqual({ updated: ["http1Backend.app"], created: [], dropped: [] });
    expect(await proxy.ask()).toContain(backend === "" ? "200 next" : next);
  }
  going.resolve();
  await reader.through(" end");
});
