import { once } from "node:events";
import { connect as connectHttp2, type ClientHttp2Stream } from "node:http2";
import { connect } from "node:net";
import { bootWith, MemorySink, openErrorLog, type ServerPart } from "@hemi/internal";
import { expect, test } from "vitest";
import contrib from "./index.ts";
import { datagramCapsule, datagramTarget, TestClient } from "./testing/serve.ts";

/** A web server with the socklet, and a page behind it. */
async function site(props = '.allowAddresses = ("127.0.0.0/8")', beside = "") {
  const sink = new MemorySink();
  const config = (props: string) => `stage {
      ${beside}
      webapp "w" {
        .hostnames = ("*")
        rule { connectUdp { ${props} } }
        rule { .returnText = "a page" }
      }
      httpxServer "main" { .webapps = ("w") .address = "127.0.0.1:0" }
    }`;
  const stage = await bootWith([contrib]).bootText(config(props), { log: openErrorLog({ sink, level: "debug" }) });
  await stage.start();
  const { listensOn: [address = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const port = Number(address.split(":")[1]);
  return {
    port,
    stage,
    log: sink.lines,
    /** With other props of the socklet. */
    reload: (next: string) => stage.reload({ text: config(next) }),
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

const upgrade = "host: a.example\r\nconnection: Upgrade\r\nupgrade: connect-udp\r\ncapsule-protocol: ?1\r\n";
const pathTo = (port: number, host = "127.0.0.1") => `/.well-known/masque/udp/${host}/${port}/`;
const hello = datagramCapsule(Buffer.from("hello"));

/** An extended CONNECT, and the status of its answer. */
async function connectOver2(port: number, path: string) {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  await once(session, "remoteSettings");
  const stream = session.request(
    { ":method": "CONNECT", ":protocol": "connect-udp", ":scheme": "http", ":path": path, ":authority": "a.example" },
    { endStream: false },
  );
  stream.on("error", () => undefined);
  const [head] = (await once(stream, "response")) as [Record<string, string | number>];
  return { session, stream, head, [Symbol.asyncDispose]: () => (session.destroy(), Promise.resolve()) };
}

async function read(stream: ClientHttp2Stream, size: number): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0);
  while (bytes.length < size) {
    const [piece] = (await once(stream, "data")) as [Buffer];
    bytes = Buffer.concat([bytes, piece]);
  }
  return bytes;
}

test("over HTTP/1.1, datagrams go through an upgraded connection", async () => {
  await using target = await datagramTarget();
  await using server = await site();
  await using client = await TestClient.connect(server.port);
  client.send(`GET ${pathTo(target.port)} HTTP/1.1\r\n${upgrade}\r\n`).send(hello);
  const head = await client.through("\r\n\r\n");
  expect(head).toMatch(/^HTTP\/1\.1 101 /);
  expect(head).toMatch(/\r\nupgrade: connect-udp\r\n/i);
  expect(head).toMatch(/\r\ncapsule-protocol: \?1\r\n/i);
  expect(await client.exactly(hello.length)).toEqual(hello);
});

test("an idleTimeout that a reload makes shorter holds for tunnels without datagrams", async () => {
  await using target = await datagramTarget();
  await using server = await site();
  await using client = await TestClient.connect(server.port);
  client.send(`GET ${pathTo(target.port)} HTTP/1.1\r\n${upgrade}\r\n`);
  await client.through("\r\n\r\n");
  await server.reload('.allowAddresses = ("127.0.0.0/8") .idleTimeout = 1ms');
  await client.toTheEnd();
});

test("over HTTP/2, datagrams go through a stream, and its connection goes on", async () => {
  await using target = await datagramTarget();
  await using server = await site();
  await using tunnel = await connectOver2(server.port, pathTo(target.port));
  expect([tunnel.head[":status"], tunnel.head["capsule-protocol"]]).toEqual([200, "?1"]);
  for (let i = 0; i < 3; i++) {
    const answer = read(tunnel.stream, hello.length);
    tunnel.stream.write(hello);
    expect(await answer).toEqual(hello);
  }
  const page = tunnel.session.request({ ":path": "/", ":authority": "a.example" });
  expect((await once(page, "response"))[0]).toMatchObject({ ":status": 200 });
  tunnel.stream.end();
  await once(tunnel.stream, "close");
});

test.each([
  ["/.well-known/masque/udp/127.0.0.1/53/", 403],
  ["/.well-known/masque/udp/%3A%3A1/53/", 403],
  ["/.well-known/masque/udp/64%3Aff9b%3A%3A7f00%3A1/53/", 403],
  ["/.well-known/masque/udp/none.invalid/53/", 502],
  ["/.well-known/masque/udp/a.example/0/", 400],
  ["/.well-known/masque/udp/a.example/99999/", 400],
  ["/.well-known/masque/udp/a.example/53", 400],
  ["/.well-known/masque/udp/a%2Fb/53/", 400],
  ["/elsewhere/a.example/53/", 400],
])("a UDP tunnel by %s is refused with %i, over HTTP/1.1 and HTTP/2", async (path, status) => {
  await using server = await site("");
  await using client = await TestClient.connect(server.port);
  client.send(`GET ${path} HTTP/1.1\r\n${upgrade}\r\n`);
  expect(await client.through("\r\n\r\n")).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  await using tunnel = await connectOver2(server.port, path);
  expect(tunnel.head[":status"]).toBe(status);
});

test("a client that has all its tunnels for UDP leaves some for others", async () => {
  await using target = await datagramTarget();
  await using server = await site(undefined, "udpsOutgate { .maxAssociationsPerClient = 2 }");
  const tunnel = async (localAddress: string) => {
    const socket = connect({ port: server.port, host: "127.0.0.1", localAddress });
    socket.write(`GET ${pathTo(target.port)} HTTP/1.1\r\n${upgrade}\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    return { socket, status: answer.toString("latin1", 9, 12) };
  };
  const first = [await tunnel("127.0.0.1"), await tunnel("127.0.0.1"), await tunnel("127.0.0.1")];
  expect(first.map(({ status }) => status)).toEqual(["101", "101", "503"]);
  const other = await tunnel("127.0.0.2");
  expect(other.status).toBe("101");
  for (const { socket } of first) socket.destroy();
  await expect.poll(async () => (await tunnel("127.0.0.1")).status).toBe("101");
});

test("clients that are not allowed by address need a right name and password", async () => {
  await using target = await datagramTarget();
  await using server = await site('.allowAddresses = ("127.0.0.0/8") .allow = () .users = ["ann": "sesame"]');
  const answerTo = async (credentials: string) => {
    await using client = await TestClient.connect(server.port);
    const token = Buffer.from(credentials).toString("base64");
    client.send(`GET ${pathTo(target.port)} HTTP/1.1\r\n${upgrade}proxy-authorization: Basic ${token}\r\n\r\n`);
    return await client.through("\r\n\r\n");
  };
  expect(await answerTo("ann:x")).toMatch(/^HTTP\/1\.1 407 .*proxy-authenticate: Basic /s);
  expect(await answerTo("ann:sesame")).toMatch(/^HTTP\/1\.1 101 /);
});

test("requests that ask for no UDP tunnel go to the next rule", async () => {
  await using server = await site();
  expect((await server.stage.inject({ url: pathTo(53) })).text).toBe("a page");
});

test("an idle tunnel ends when the server drains", async () => {
  await using target = await datagramTarget();
  await using server = await site('.allowAddresses = ("127.0.0.0/8") .drainIdleTimeout = 1ms');
  await using tunnel = await connectOver2(server.port, pathTo(target.port));
  const closed = once(tunnel.stream, "close");
  const quitting = server.stage.quit(60_000);
  await closed;
  tunnel.session.destroy();
  await quitting;
});
