// http3Backend before http3Server: what clients of the proxy get.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempDisposable } from "node:fs/promises";
import { request as askHTTP, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootWith, defineHandlet, MemorySink, openErrorLog, pack, type Stage } from "@hemi/internal";
import { afterAll, beforeAll, expect, test } from "vitest";
import contrib from "./index.ts";
import { makeCertificate } from "@hemi/internal/testing";

/** Requests for /wait that wait, in their order. */
let waiting: (() => void)[] = [];

const handlets = pack("test", [
  defineHandlet({
    sign: "tellClient",
    create: () => ({
      async handle(req, resp) {
        if (req.path === "/wait") await new Promise<void>((resolve) => waiting.push(resolve));
        if (req.path === "/large") resp.send(Buffer.alloc(600_000, "x"));
        else if (req.path === "/slowly") {
          let size = 0;
          for await (const piece of req.content) {
            size += piece.length;
            await new Promise((resolve) => setImmediate(resolve));
          }
          resp.send(String(size));
        } else if (req.method === "POST") resp.send(await req.content.bytes());
        else resp.sendJSON([req.version, req.authority, req.peer.port]);
        return true;
      },
    }),
  }),
]);

let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
beforeAll(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), "hemi-http3-backend-"));
  makeCertificate(folder.path, "node");
  makeCertificate(folder.path, "other", "DNS:other.example");
});
afterAll(() => folder[Symbol.asyncDispose]());

interface Site extends AsyncDisposable {
  readonly stage: Stage;
  readonly port: number;
  readonly log: readonly string[];
}

async function boot(config: string, server: string): Promise<Site> {
  const sink = new MemorySink();
  const log = openErrorLog({ sink, level: "debug" });
  const stage = await bootWith([contrib, handlets]).bootText(config, { log });
  await stage.start();
  const part = stage.find(server)?.part;
  const [address = ""] = part !== undefined && "listensOn" in part ? (part.listensOn as readonly string[]) : [];
  return {
    stage,
    port: Number(/:(\d+)$/.exec(address)?.[1]),
    log: sink.lines,
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

/** A node. `certificate`: that it shows. */
function node({ certificate = "node", server = "", port = 0, rules = "" } = {}): Promise<Site> {
  const file = join(folder.path, certificate);
  return boot(
    `stage {
      webapp "app" {
        .hostnames = ("*") .tlsCert = ("${file}.crt") .tlsKey = ("${file}.key")
        ${rules}
        rule { tellClient {} }
      }
      http3Server "main" { .address = "127.0.0.1:${port}" ${server} }
    }`,
    "http3Server.main",
  );
}

/** A proxy before nodes. */
function proxy(ports: readonly number[], backend = "", more = ""): Promise<Site> {
  const nodes = ports.map((port) => `["address": "127.0.0.1:${port}"]`).join(", ");
  return boot(
    `stage {
      http3Backend "app" { .nodes = (${nodes}) .tlsCA = "${join(folder.path, "node.crt")}" ${backend} }
      webapp "all" { .hostnames = ("*") rule { ${more} httpProxy { .toBackend = "app" } } }
      httpxServer "main" { .address = "127.0.0.1:0" }
    }`,
    "httpxServer.main",
  );
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

async function ask({ port }: Site, path = "/", content?: string): Promise<Answer> {
  const request = askHTTP({
    host: "127.0.0.1",
    port,
    path,
    agent: false,
    method: content === undefined ? "GET" : "POST",
  });
  request.end(content);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const pieces = (await response.toArray()) as Buffer[];
  return { status: response.statusCode, text: Buffer.concat(pieces).toString() };
}

/** The port of ours that a request came from, which tells connections apart. */
async function connOf(site: Site): Promise<unknown> {
  const [, , port] = JSON.parse((await ask(site)).text) as unknown[];
  return port;
}

test("requests go to the node over HTTP/3, and content both ways", async () => {
  await using app = await node();
  await using site = await proxy([app.port]);
  const { status, text } = await ask(site);
  expect([status, JSON.parse(text)]).toEqual([200, ["3", `127.0.0.1:${site.port}`, expect.any(Number)]]);
  const large = "0123456789".repeat(50_000);
  expect((await ask(site, "/", large)).text === large).toBe(true);
  expect((await ask(site, "/large")).text).toHaveLength(600_000);
});

test("content that is read slowly, behind small windows, comes through without a stall", async () => {
  await using app = await node({ server: ".http3StreamWindow = 16K .http3ConnWindow = 64K" });
  await using site = await proxy([app.port], ".http3StreamWindow = 16K .pingInterval = 0s");
  expect((await ask(site, "/slowly", "x".repeat(200_000))).text).toBe("200000");
  expect((await ask(site, "/", "x".repeat(200_000))).text).toHaveLength(200_000);
});

test("many requests share a connection, and another is made when it has all that the node takes", async () => {
  await using app = await node({ server: ".http3MaxStreams = 4" });
  await using site = await proxy([app.port]);
  expect(await connOf(site)).toBe(await connOf(site));
  waiting = [];
  const answers = Promise.all(Array.from({ length: 6 }, () => ask(site, "/wait")));
  await expect.poll(() => waiting.length).toBe(6);
  for (const go of waiting) go();
  const conns = (await answers).map(({ text }) => (JSON.parse(text) as unknown[])[2]);
  expect(new Set(conns).size).toBe(2);
});

test("a node whose certificate is of another name or of an unknown authority gets no request", async () => {
  await using app = await node();
  await using named = await proxy([app.port], '.tlsServerName = "localhost"');
  expect((await ask(named)).status).toBe(200);
  await using misnamed = await proxy([app.port], '.tlsServerName = "shop.example"');
  expect((await ask(misnamed)).status).toBe(502);
  await using other = await node({ certificate: "other" });
  await using unknown = await proxy([other.port]);
  expect((await ask(unknown)).status).toBe(502);
  expect(unknown.log.join("\n")).toMatch(/alert 48 of TLS: the certificate is of an unknown authority/);
  await using careless = await proxy([other.port], ".tlsVerify = false");
  expect((await ask(careless)).status).toBe(200);
});

test("a node without a listener gives 502 at once, and one that says nothing 504 after dialTimeout", async () => {
  const silent = createSocket("udp4").bind(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address();
  await using slow = await proxy([port], ".dialTimeout = 100ms");
  expect((await ask(slow)).status).toBe(504);
  await new Promise<void>((resolve) => silent.close(() => resolve()));
  await using none = await proxy([port], ".dialTimeout = 60s");
  expect((await ask(none)).status).toBe(502);
  expect(none.log.join("\n")).toContain("it cannot be connected to");
});

test("a node that shuts down finishes what it has, and its successor is dialled", async () => {
  const app = await node();
  await using site = await proxy([app.port]);
  waiting = [];
  const answer = ask(site, "/wait");
  await expect.poll(() => waiting.length).toBe(1);
  const ended = app.stage.quit(5000);
  for (const go of waiting) go();
  expect((await answer).status).toBe(200);
  await ended;
  await using _ = await node({ port: app.port });
  expect((await ask(site, "/", "again")).text).toBe("again");
});

test("a node that is down is found by health checks over HTTP/3, and another takes its work", async () => {
  await using well = await node();
  await using ill = await node({ rules: 'rule $path == "/health" { .returnCode = 503 }' });
  const health = '.healthCheck = "http" .healthPath = "/health" .healthInterval = 10ms .healthFall = 1';
  await using site = await proxy([well.port, ill.port], health);
  await expect.poll(() => site.log.join("\n")).toContain("it answered 503");
  const conns = new Set<unknown>();
  for (let i = 0; i < 4; i++) conns.add(await connOf(site));
  expect(conns.size).toBe(1);
});

test("a client certificate is shown to a node that asks for one", async () => {
  const file = join(folder.path, "node");
  await using app = await node({ rules: `.tlsClientCert = "required" .tlsClientCA = ("${file}.crt")` });
  await using site = await proxy([app.port], `.tlsCert = "${file}.crt" .tlsKey = "${file}.key"`);
  expect((await ask(site)).status).toBe(200);
  await using unknown = await proxy([app.port]);
  expect((await ask(unknown)).status).toBe(502);
});

test("an idle connection is closed after aliveTimeout, and one more is made for the next request", async () => {
  await using app = await node();
  await using site = await proxy([app.port], ".aliveTimeout = 20ms");
  const first = await connOf(site);
  // Deadlines share a timer that looks only now and then: asking more often would keep the connection.
  await expect.poll(() => connOf(site), { interval: 1500 }).not.toBe(first);
});

test("what a configuration shows to be wrong is found before it runs", async () => {
  await expect(proxy([1], ".tlsMode = false")).rejects.toThrow(/never spoken without TLS/);
  await expect(proxy([1], '.healthCheck = "tcp"')).rejects.toThrow(/not spoken over TCP/);
  await expect(proxy([1], '.proxyProtocol = "v2"')).rejects.toThrow(/HTTP\/3 is for many clients/);
});
