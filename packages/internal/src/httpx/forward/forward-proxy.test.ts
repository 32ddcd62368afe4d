import { createServer as createWebServer, type RequestListener } from "node:http";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import type { ServerPart } from "../../stage/kinds/server.ts";
import { listening } from "../../testing/listening.ts";
import { RawClient, request } from "../../testing/raw-client.ts";

interface ProxyOptions {
  /** Of the handlet. */
  readonly props?: string;
  /** Of the webapp, before its rule. */
  readonly before?: string;
  /** Of the stage. */
  readonly stage?: string;
  readonly hostnames?: string;
}

/** A forward proxy; the namer knows no DNS server that would answer. */
async function forwardProxy({ props = "", before = "", stage: inStage = "", hostnames = '"*"' }: ProxyOptions = {}) {
  const sink = new MemorySink();
  const config = (props: string) => `stage {
      namer { .names = ["inside.test": ("127.0.0.1", "10.0.0.1")] .hostsFile = "" .servers = ("127.0.0.1:9") .timeout = 100ms .tries = 1 }
      ${inStage}
      webapp "all" { .hostnames = (${hostnames}) ${before} rule { forwardProxy { ${props} } } }
      httpxServer "main" { .webapps = ("all") .address = "127.0.0.1:0" .lingerTimeout = 10ms .drainIdleTimeout = 10ms }
    }`;
  const stage = await bootWith([]).bootText(config(props), { log: openErrorLog({ sink, level: "debug" }) });
  try {
    await stage.start();
  } catch (error) {
    await stage.quit(0);
    throw error;
  }
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const port = Number(/:(\d+)$/.exec(listensOn)?.[1] ?? 0);
  return {
    stage,
    port,
    log: sink.lines,
    /** With other props of the handlet. */
    reload: (next: string) => stage.reload({ text: config(next) }),
    connect: () => RawClient.connect({ port, host: "127.0.0.1" }),
    async ask(bytes: string) {
      await using client = await RawClient.connect({ port, host: "127.0.0.1" });
      return await client.send(bytes).response(bytes.startsWith("HEAD") ? "HEAD" : "GET");
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

const webServer = (listener: RequestListener) => listening(createWebServer(listener));

/** Sends back what comes, and shuts its side when the other one is. */
const echoServer = () =>
  listening(
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => socket.destroy());
      socket.pipe(socket);
    }),
  );

const absolute = (port: number, path = "/", host = "inside.test") =>
  request(`GET http://${host}:${port}${path}`, { host: `${host}:${port}` });

const connectTo = (authority: string) => request(`CONNECT ${authority}`, { host: authority });

const allowing = (port: number) => `.allowAddresses = ("127.0.0.1") .httpPorts = (${port}) .connectPorts = (${port})`;

test("a request in absolute form is answered by its host, who learns nothing of the client", async () => {
  await using target = await webServer((req, res) => {
    res.end(JSON.stringify({ url: req.url, headers: req.headers }));
  });
  await using proxy = await forwardProxy({ props: allowing(target.port) });
  const { status, text } = await proxy.ask(
    request(`GET http://inside.test:${target.port}/a?b`, {
      host: `inside.test:${target.port}`,
      "proxy-authorization": "Basic eA==",
      "proxy-connection": "keep-alive",
      "x-forwarded-for": "192.0.2.1",
    }),
  );
  expect(status).toBe(200);
  expect(JSON.parse(text)).toEqual({
    url: "/a?b",
    headers: {
      host: `inside.test:${target.port}`,
      via: expect.stringMatching(/^1\.1 hemi-[0-9a-f]{12}$/),
    },
  });
});

test("content goes through in both directions, and a connection is used again", async () => {
  const ports = new Set<number | undefined>();
  await using target = await webServer((req, res) => {
    ports.add(req.socket.remotePort);
    req.pipe(res);
  });
  await using proxy = await forwardProxy({ props: allowing(target.port) });
  await using client = await proxy.connect();
  for (const content of ["one", "two"]) {
    client.send(request(`PUT http://inside.test:${target.port}/`, {}, content));
    expect((await client.response()).text).toBe(content);
  }
  expect(ports.size).toBe(1);
});

test("a request that is none for a proxy is refused", async () => {
  await using proxy = await forwardProxy();
  expect((await proxy.ask(request("GET /"))).status).toBe(400);
  expect((await proxy.ask(request("GET https://a.example/"))).status).toBe(400);
  expect((await proxy.ask(request("GET ftp://a.example/"))).status).toBe(400);
});

test.each([
  ["127.0.0.1", 403],
  ["[::1]", 403],
  ["[::ffff:127.0.0.1]", 403],
  ["[::ffff:7f00:1]", 403],
  ["[0:0:0:0:0:ffff:a00:1]", 403],
  ["localhost", 403],
  ["LOCALHOST.", 403],
  ["a.localhost", 403],
  ["inside.test", 403],
  ["10.0.0.1", 403],
  ["169.254.169.254", 403],
  ["0.0.0.0", 403],
  ["[64:ff9b::7f00:1]", 403],
  // Other ways to write 127.0.0.1: no host for anyone here.
  ["127.1", 502],
  ["2130706433", 502],
  ["0x7f.1", 502],
  ["0177.0.0.1", 502],
  ["nowhere.invalid", 502],
  ["a@127.0.0.1", 400],
  ["%6cocalhost", 400],
])("what leads inside is refused: %s", async (host, status) => {
  await using proxy = await forwardProxy({ props: ".connectPorts = (80)" });
  expect((await proxy.ask(request(`GET http://${host}/`))).status).toBe(status);
  expect((await proxy.ask(connectTo(`${host}:80`))).status).toBe(status);
});

test("of the addresses of a name only those that are allowed are dialled", async () => {
  await using target = await webServer((_req, res) => res.end("here"));
  const props = `.allowAddresses = ("127.0.0.1") .httpPorts = (${target.port})`;
  // 10.0.0.1 is an address of inside.test too.
  await using proxy = await forwardProxy({ props });
  expect((await proxy.ask(absolute(target.port))).text).toBe("here");
});

test("ports that are not named are refused", async () => {
  await using proxy = await forwardProxy({ props: '.allowAddresses = ("127.0.0.0/8")' });
  expect((await proxy.ask(absolute(25))).status).toBe(403);
  expect((await proxy.ask(connectTo("inside.test:80"))).status).toBe(403);
  expect((await proxy.ask(connectTo("inside.test:22"))).status).toBe(403);
});

test("a tunnel carries bytes both ways, and half of it can be shut", async () => {
  await using target = await echoServer();
  await using proxy = await forwardProxy({ props: allowing(target.port) });
  await using client = await proxy.connect();
  // What comes with the request is for the tunnel.
  client.send(connectTo(`inside.test:${target.port}`) + "early ");
  const head = await client.head();
  expect(head.status).toBe(200);
  client.send("late").end();
  expect((await client.toTheEnd()).toString()).toBe("early late");
});

test("a tunnel carries much in both directions at the pace of its ends", async () => {
  await using target = await echoServer();
  await using proxy = await forwardProxy({ props: allowing(target.port) });
  await using client = await proxy.connect();
  client.send(connectTo(`inside.test:${target.port}`));
  await client.head();
  const content = Buffer.alloc(3_000_000, "to and fro ");
  client.send(content).end();
  expect((await client.toTheEnd()).equals(content)).toBe(true);
});

test("a tunnel in which nothing moves is closed", async () => {
  await using target = await echoServer();
  await using proxy = await forwardProxy({ props: `${allowing(target.port)} .tunnelIdleTimeout = 30ms` });
  await using client = await proxy.connect();
  client.send(connectTo(`inside.test:${target.port}`));
  await client.head();
  expect(await client.ending()).toMatch(/^(?:end|reset)$/);
});

test("a tunnelIdleTimeout that a reload makes shorter holds for tunnels in which nothing moves", async () => {
  await using target = await echoServer();
  await using proxy = await forwardProxy({ props: allowing(target.port) });
  await using client = await proxy.connect();
  client.send(connectTo(`inside.test:${target.port}`));
  await client.head();
  await proxy.reload(`${allowing(target.port)} .tunnelIdleTimeout = 1ms`);
  expect(await client.ending()).toMatch(/^(?:end|reset)$/);
});

test("a tunnel ends when its target breaks off", async () => {
  await using target = await listening(createServer((socket) => socket.once("data", () => socket.resetAndDestroy())));
  await using proxy = await forwardProxy({ props: allowing(target.port) });
  await using client = await proxy.connect();
  client.send(connectTo(`inside.test:${target.port}`));
  await client.head();
  client.send("x");
  expect(await client.ending()).toMatch(/^(?:end|reset)$/);
});

test("a tunnel that stands still does not hold the stage back when it ends", async () => {
  await using target = await echoServer();
  const proxy = await forwardProxy({ props: `${allowing(target.port)} .tunnelDrainTimeout = 10ms` });
  await using client = await proxy.connect();
  client.send(connectTo(`inside.test:${target.port}`));
  await client.head();
  await proxy.stage.quit(60_000);
  expect(await client.ending()).toMatch(/^(?:end|reset)$/);
});

test("a host that refuses the connection gives 502", async () => {
  const closed = await echoServer();
  await closed[Symbol.asyncDispose]();
  await using proxy = await forwardProxy({ props: allowing(closed.port) });
  expect((await proxy.ask(absolute(closed.port))).status).toBe(502);
  expect((await proxy.ask(connectTo(`inside.test:${closed.port}`))).status).toBe(502);
});

test("a tunnel is asked for with a port and without content", async () => {
  await using proxy = await forwardProxy({ props: '.allowAddresses = ("127.0.0.1")' });
  expect((await proxy.ask(connectTo("inside.test"))).status).toBe(400);
  expect((await proxy.ask(request("CONNECT inside.test:443", { host: "inside.test:443" }, "content"))).status).toBe(
    400,
  );
});

test("a request that comes back is refused", async () => {
  await using target = await webServer((req, res) => res.end(req.headers.via));
  await using proxy = await forwardProxy({ props: allowing(target.port) });
  const { text: via } = await proxy.ask(absolute(target.port));
  expect((await proxy.ask(request("GET http://inside.test/", { via: `1.1 other, ${via}` }))).status).toBe(508);
});

test("no more connections are made than maxConns says", async () => {
  await using target = await echoServer();
  await using proxy = await forwardProxy({ props: allowing(target.port), stage: "http1Outgate { .maxConns = 1 }" });
  await using first = await proxy.connect();
  first.send(connectTo(`inside.test:${target.port}`));
  expect((await first.head()).status).toBe(200);
  expect((await proxy.ask(connectTo(`inside.test:${target.port}`))).status).toBe(503);
  expect((await proxy.ask(absolute(target.port))).status).toBe(503);
});

test("a rule before it may refuse a tunnel, and none opens one by mistake", async () => {
  const before = `rule $hostname == "no.test" { .returnCode = 451 }  rule $hostname == "yes.test" { .returnText = "hello" }`;
  await using proxy = await forwardProxy({ before });
  expect((await proxy.ask(connectTo("no.test:443"))).status).toBe(451);
  expect((await proxy.ask(connectTo("yes.test:443"))).status).toBe(500);
  expect(proxy.log.join("")).toContain("CONNECT was to be answered with 200, which would open a tunnel");
});

test("what becomes of a tunnel is told before it is asked for", async () => {
  await using proxy = await forwardProxy({ props: ".connectPorts = (8443)" });
  const outcome = async (method: string, url: string) => (await proxy.stage.explain({ method, url })).outcome;
  expect(await outcome("CONNECT", "inside.test:8443")).toMatchObject({
    type: "answered",
    text: "opens a tunnel to inside.test:8443, if its address may be reached",
  });
  expect(await outcome("CONNECT", "inside.test:22")).toMatchObject({ type: "answered", status: 403 });
  expect(await outcome("GET", "/x")).toMatchObject({ type: "answered", status: 400 });
  await expect(outcome("CONNECT", "/")).rejects.toThrow("write CONNECT host:443");
});

test("its webapp takes any hostname", async () => {
  await expect(forwardProxy({ hostnames: '"a.example"' })).rejects.toThrow(/give webapp.all the hostname "\*"/);
});
