import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { createSocket } from "node:dgram";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import * as https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  bootWith,
  defineHandlet,
  HTTPError,
  Listeners,
  MemorySink,
  onlyWorker,
  openErrorLog,
  pack,
  type BootOptions,
  type Stage,
} from "@hemi/internal";
import { linkedWorkers } from "@hemi/internal/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { frame, frameType } from "./http3/frames.ts";
import contrib from "./index.ts";
import { QpackEncoder } from "./qpack/encoder.ts";
import { load } from "./quic/native.ts";
import { QuicClient } from "./testing/quic-client.ts";

/** A request for /slow has come, and may be answered. */
let asked = Promise.withResolvers<void>();
let answer = Promise.withResolvers<void>();
beforeEach(() => {
  asked = Promise.withResolvers();
  answer = Promise.withResolvers();
});

const handlets = pack("test", [
  defineHandlet({
    sign: "echo",
    create: () => ({
      async handle(req, resp) {
        if (req.path !== "/echo") return false;
        resp.send(await req.content.bytes());
        return true;
      },
    }),
  }),
  defineHandlet({
    sign: "slow",
    create: () => ({
      async handle(req, resp) {
        if (req.path !== "/slow") return false;
        asked.resolve();
        await answer.promise;
        resp.send("at last");
        return true;
      },
    }),
  }),
  defineHandlet({
    sign: "tell",
    create: () => ({
      handle(req, resp) {
        if (req.path === "/boom") throw new HTTPError(418);
        resp.sendJSON({ version: req.version, scheme: req.scheme, src: req.peer.address });
        return true;
      },
    }),
  }),
]);

let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
beforeAll(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), "hemi-http3-"));
  for (const [name, host] of [
    ["a", "a.example"],
    ["b", "localhost"],
  ]) {
    const request =
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=${host} ` +
      `-addext subjectAltName=DNS:${host} -keyout ${name}.key -out ${name}.crt`;
    execFileSync("openssl", request.split(" "), { cwd: folder.path, stdio: "ignore" });
  }
  await writeFile(join(folder.path, "big.txt"), Buffer.alloc(3_000_000, "x"));
});
afterAll(() => folder[Symbol.asyncDispose]());

interface Site {
  readonly stage: Stage;
  readonly sink: MemorySink;
}

function at(file: string): string {
  return join(folder.path, file);
}

/** `server`: props of the server; `webapp`: of its webapp; `more`: components beside them; `around`: of the stage. */
async function boot(
  server = "",
  webapp = "",
  more = "",
  around: Pick<BootOptions, "workers" | "listeners"> = {},
): Promise<Site> {
  const sink = new MemorySink();
  const stage = await bootWith([contrib, handlets]).bootText(configOf(server, webapp, more), {
    log: openErrorLog({ sink }),
    ...around,
  });
  await stage.start();
  return { stage, sink };
}

function configOf(server = "", webapp = "", more = ""): string {
  return `stage {
      webapp "site" {
        .hostnames = ("*") .webRoot = "${folder.path}"
        .tlsCert = ("${at("b.crt")}") .tlsKey = ("${at("b.key")}")
        ${webapp}
        rule $path == "/big.txt" { static {} }
        rule { echo {} slow {} tell {} }
      }
      http3Server "main" { ${server.includes(".address") ? "" : '.address = "127.0.0.1:0"'} ${server} }
      ${more}
    }`;
}

function textOf({ sink }: Site): string {
  return sink.lines.join("\n");
}

function portOf(site: Site): number {
  return Number(/listens on 127\.0\.0\.1:(\d+)/.exec(textOf(site))?.[1]);
}

test("a worker that has stopped listening leaves new connections to another one, and keeps its own", async () => {
  const [first = onlyWorker, second = onlyWorker] = linkedWorkers(2);
  const listeners = new Listeners();
  const leaving = await boot("", 'rule $path == "/who" { .returnText = "former" }', "", { workers: first, listeners });
  await using _leaving = leaving.stage;
  await using own = await QuicClient.connect({ port: portOf(leaving) });
  const sameAddress = `.address = "127.0.0.1:${portOf(leaving)}"`;
  const next = await boot(sameAddress, 'rule $path == "/who" { .returnText = "next" }', "", {
    workers: second,
    listeners: new Listeners(),
  });
  await using _next = next.stage;
  await listeners.stop();
  const who = async (client: QuicClient) => (await client.ask({ ":path": "/who" })).content.toString();
  // The kernel gives half of them to each.
  for (let i = 0; i < 10; i++) {
    await using client = await QuicClient.connect({ port: portOf(leaving) });
    expect(await who(client)).toBe("next");
  }
  expect(await who(own)).toBe("former");
});

test("webapps are served over HTTP/3", async () => {
  const site = await boot();
  await using _stage = site.stage;
  await using client = await QuicClient.connect({ port: portOf(site) });
  const { status, content } = await client.ask();
  expect([status, JSON.parse(content.toString())]).toEqual([
    "200",
    { version: "3", scheme: "https", src: "127.0.0.1" },
  ]);
  expect((await client.ask({ ":path": "/boom" })).status).toBe("418");
});

test("content goes both ways, larger than any window", async () => {
  const site = await boot();
  await using _stage = site.stage;
  await using client = await QuicClient.connect({ port: portOf(site) });
  const small = await client.ask({ ":method": "POST", ":path": "/echo" }, "hello");
  expect(small.content.toString()).toBe("hello");
  const big = await client.ask({ ":path": "/big.txt" });
  expect([big.status, big.content.length, big.content.equals(Buffer.alloc(3_000_000, "x"))]).toEqual([
    "200",
    3_000_000,
    true,
  ]);
});

test("many requests at once are each answered", async () => {
  const site = await boot();
  await using _stage = site.stage;
  await using client = await QuicClient.connect({ port: portOf(site) });
  for (let round = 0; round < 5; round++) {
    const ids = Array.from({ length: 50 }, () => client.send());
    const replies = await Promise.all(ids.map((id) => client.reply(id)));
    expect(replies.map(({ status }) => status)).toEqual(Array(50).fill("200"));
  }
});

test("alt-svc is said by the servers over TLS of the same webapps, while HTTP/3 is served", async () => {
  const site = await boot("", "", 'httpxServer "tcp" { .webapps = ("site") .address = "127.0.0.1:0" .tlsMode = true }');
  await using _stage = site.stage;
  const ports = [...textOf(site).matchAll(/listens on 127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port));
  const ask = (port: number): Promise<string | undefined> =>
    new Promise((resolve) => {
      const request = https.get({ port, rejectUnauthorized: false, agent: false }, (response) => {
        resolve(response.headers["alt-svc"]);
        response.resume();
      });
      // The other port is one of UDP.
      request.on("error", () => resolve("no TCP"));
    });
  const said = await Promise.all(ports.map(ask));
  const quicPort = ports[said.indexOf("no TCP")];
  expect(said.filter((each) => each !== "no TCP")).toEqual([`h3=":${quicPort}"; ma=86400`]);
});

describe("handshakes", () => {
  test("with Retry prove the address of the client", async () => {
    const site = await boot('.retry = "always"');
    await using _stage = site.stage;
    await using client = await QuicClient.connect({ port: portOf(site) });
    expect((await client.ask()).status).toBe("200");
  });

  test("get the certificate of the name that the client asks for", async () => {
    const other = `webapp "other" {
      .hostnames = ("a.example") .tlsCert = ("${at("a.crt")}") .tlsKey = ("${at("a.key")}")
      rule { .returnText = "a" }
    }`;
    const site = await boot("", "", other);
    await using _stage = site.stage;
    const subjects: (string | undefined)[] = [];
    for (const serverName of ["a.example", "b.example"]) {
      await using client = await QuicClient.connect({ port: portOf(site), serverName });
      const [leaf] = client.conn.native.peerCertChain() ?? [];
      subjects.push(leaf && new X509Certificate(leaf).subject);
      expect((await client.ask({ ":authority": serverName })).status).toBe("200");
    }
    expect(subjects).toEqual(["CN=a.example", "CN=localhost"]);
  });

  test("resume a session until tlsTicketKeyLifetime has replaced the key of its ticket", async () => {
    const site = await boot(".tlsTicketKeyLifetime = 1m");
    await using _stage = site.stage;
    const port = portOf(site);
    await using first = await QuicClient.connect({ port });
    await first.ask();
    await expect.poll(() => first.conn.native.session()).not.toBeNull();
    const session = first.conn.native.session() ?? Buffer.alloc(0);
    const isResumed = async (): Promise<boolean> => {
      await using client = await QuicClient.connect({ port, session });
      expect((await client.ask()).status).toBe("200");
      return client.conn.native.isResumed();
    };
    expect(await isResumed()).toBe(true);
    const now = performance.now.bind(performance);
    const later = vi.spyOn(performance, "now").mockImplementation(() => now() + 61_000);
    try {
      expect(await isResumed()).toBe(false);
    } finally {
      later.mockRestore();
    }
  });

  test("of clients without a known name are refused where names are strict", async () => {
    const site = await boot(".tlsStrictServerName = true", "");
    await using _stage = site.stage;
    // The webapp has "*", which knows any name; a client without one is refused.
    await using _client = await QuicClient.begin({ port: portOf(site), serverName: "" });
    await expect.poll(() => textOf(site)).toContain("no QUIC connection with 127.0.0.1: it names no server");
  });
});

test("rules know the server name that a client asks for, whether or not it decides the certificate", async () => {
  const rule = `rule $tlsServerName == "any.example" { .returnText = "any" }`;
  const other = `webapp "other" {
    .hostnames = ("a.example") .tlsCert = ("${at("a.crt")}") .tlsKey = ("${at("a.key")}")
    rule { .returnText = "a" }
  }`;
  for (const more of ["", other]) {
    const site = await boot("", rule, more);
    await using _stage = site.stage;
    await using client = await QuicClient.connect({ port: portOf(site), serverName: "Any.Example" });
    expect((await client.ask({ ":authority": "any.example" })).content.toString()).toBe("any");
  }
});

test("streams that come in another order than that of their numbers are all answered", async () => {
  const site = await boot();
  await using _stage = site.stage;
  await using client = await QuicClient.connect({ port: portOf(site) });
  const { native } = client.conn;
  const fields = [":method", "GET", ":scheme", "https", ":authority", "localhost", ":path", "/"];
  const get = frame(frameType.headers, new QpackEncoder(() => undefined).encode(0, fields));
  const replies: ReturnType<QuicClient["reply"]>[] = [];
  // The turns of the server are its own: each of these comes in one of them, and 4 and 12 behind later ones.
  for (const id of [0, 8, 4, 16, 12, 20]) {
    native.streamSend(id, get, true);
    client.conn.flush();
    replies.push(client.reply(id));
    await replies.at(-1);
  }
  expect((await Promise.all(replies)).map(({ status }) => status)).toEqual(Array(6).fill("200"));
});

test("clients show a certificate where one is required", async () => {
  const site = await boot("", `.tlsClientCert = "required" .tlsClientCA = ("${at("a.crt")}")`);
  await using _stage = site.stage;
  const [cert, key] = await Promise.all([readFile(at("a.crt"), "utf8"), readFile(at("a.key"), "utf8")]);
  await using known = await QuicClient.connect({ port: portOf(site), certificate: { cert, key } });
  expect((await known.ask()).status).toBe("200");
  await using unknown = await QuicClient.begin({ port: portOf(site) });
  await unknown.closed.promise;
});

test("a server that a reload drops serves what it has, tells its clients, and closes", async () => {
  const site = await boot();
  await using stage = site.stage;
  await using client = await QuicClient.connect({ port: portOf(site) });
  const id = client.send({ ":path": "/slow" });
  await asked.promise;
  const reload = stage.reload({
    text: configOf().replace(/http3Server.*/, 'httpxServer "b" { .address = "127.0.0.1:0" }'),
  });
  answer.resolve();
  expect((await client.reply(id)).content.toString()).toBe("at last");
  await client.closed.promise;
  await reload;
});

test("a changed idleTimeout holds for a client that is idle already", async () => {
  const site = await boot(".idleTimeout = 1h");
  await using stage = site.stage;
  await using client = await QuicClient.connect({ port: portOf(site) });
  await client.ask();
  await stage.reload({ text: configOf(".idleTimeout = 1ms") });
  await client.closed.promise;
});

test("a handlet hears of a client that gives its request up", async () => {
  const site = await boot("", `.accessLog = ["file": "${at("access.log")}", "format": $path + " " + $version]`);
  await using _stage = site.stage;
  await using client = await QuicClient.connect({ port: portOf(site) });
  // The library does not send STOP_SENDING again if its packet gets lost.
  for (let count = 0; count < 3; count++) {
    asked = Promise.withResolvers();
    const id = client.send({ ":path": "/slow" });
    await asked.promise;
    client.conn.stop(id, 0x10c);
    client.conn.flush();
  }
  await expect.poll(() => readFile(at("access.log"), "utf8"), { timeout: 10_000 }).toContain("/slow 3");
  answer.resolve();
});

test("a client beyond maxConns is not answered", async () => {
  const site = await boot(".maxConns = 1");
  await using _stage = site.stage;
  await using first = await QuicClient.connect({ port: portOf(site) });
  expect((await first.ask()).status).toBe("200");
  await using _second = await QuicClient.begin({ port: portOf(site) });
  await expect.poll(() => textOf(site), { timeout: 15_000 }).toContain("refused a connection of 127.0.0.1");
}, 20_000);

test("the end of a stage tells its clients, and leaves nothing behind", async () => {
  const site = await boot();
  const client = await QuicClient.connect({ port: portOf(site) });
  await client.ask();
  await site.stage.quit();
  await client.closed.promise;
  await client[Symbol.asyncDispose]();
});

test("packets that come from another address than their connection's are dropped", async () => {
  const site = await boot();
  await using _stage = site.stage;
  await using client = await QuicClient.connect({ port: portOf(site) });
  expect((await client.ask()).status).toBe("200");
  const elsewhere = createSocket("udp4");
  let heard = 0;
  elsewhere.on("message", () => heard++);
  client.sender = elsewhere;
  const id = client.send();
  await new Promise((resolve) => setImmediate(resolve));
  client.sender = client.socket;
  // Lost to the client: it sends it again, from its own address.
  expect([(await client.reply(id)).status, heard]).toEqual(["200", 0]);
  elsewhere.close();
});

test("any datagrams are passed over", async () => {
  const site = await boot();
  await using _stage = site.stage;
  await using client = await QuicClient.connect({ port: portOf(site) });
  const port = portOf(site);
  for (let i = 0; i < 200; i++) {
    const bytes = Buffer.from(Array.from({ length: 1200 + (i % 50) }, (_, at) => (at * 7 + i * 13) & 0xff));
    bytes[0] = [0xc0, 0xc3, 0x40, 0xff, i & 0xff][i % 5] ?? 0;
    if (i % 3 === 0) bytes.writeUInt32BE(1, 1);
    client.socket.send(bytes, port, "127.0.0.1");
  }
  expect((await client.ask()).status).toBe("200");
});

test("a flood of datagrams that bring nothing ends the connection, and a stream of requests does not", async () => {
  const site = await boot(".http3MaxOverhead = 256K .http3ConnWindow = 64K .http3FloodRecovery = 1h");
  await using _stage = site.stage;
  await using client = await QuicClient.connect({ port: portOf(site) });
  const { socket } = client;
  const send = socket.send.bind(socket) as (bytes: Buffer, port: number, host: string) => void;
  let latest = Buffer.alloc(0);
  socket.send = ((bytes: Buffer, port: number, host: string) => {
    latest = Buffer.from(bytes);
    send(bytes, port, host);
  }) as typeof socket.send;
  // In all more than the limit.
  for (let i = 0; i < 30; i++) {
    const { content } = await client.ask({ ":method": "POST", ":path": "/echo" }, Buffer.alloc(10_000, "x"));
    expect(content).toHaveLength(10_000);
  }
  // A packet that came already, in a large datagram.
  const datagram = Buffer.concat([latest.subarray(0, 1200), Buffer.alloc(1200 - Math.min(1200, latest.length))]);
  const flood = setInterval(() => send(datagram, portOf(site), "127.0.0.1"), 1);
  await client.closed.promise;
  clearInterval(flood);
  expect(client.conn.native.peerError()).toMatchObject({ isApp: true, errorCode: 0x107 });
}, 30_000);

test("a platform without the native package gets an error that names it", () => {
  expect(() => load("sunos", "mips")).toThrow(
    expect.objectContaining({
      code: "HEMI_MODULE",
      message: expect.stringContaining("@infisical/quic-sunos-mips") as string,
    }),
  );
});
