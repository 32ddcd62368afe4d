import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { once } from "node:events";
import { expect, test } from "vitest";
import { RawBackend, type RawRequest } from "../../testing/raw-backend.ts";
import { proxyTo } from "../../testing/proxy.ts";

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly hints: readonly IncomingHttpHeaders[];
  readonly trailers: IncomingHttpHeaders | undefined;
}

/** One request by Node's own HTTP/2 client. */
async function ask(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
  content?: string,
): Promise<Answer> {
  const stream = session.request(headers, { endStream: content === undefined });
  const hints: IncomingHttpHeaders[] = [];
  let trailers: IncomingHttpHeaders | undefined;
  let received: IncomingHttpHeaders = {};
  stream.on("headers", (headers: IncomingHttpHeaders) => hints.push(headers));
  stream.on("response", (headers: IncomingHttpHeaders) => (received = headers));
  stream.on("trailers", (headers: IncomingHttpHeaders) => (trailers = headers));
  if (content !== undefined) stream.end(content);
  let text = "";
  stream.setEncoding("latin1");
  for await (const piece of stream) text += String(piece);
  return { headers: received, text, hints, trailers };
}

async function open(port: number): Promise<{ session: ClientHttp2Session } & AsyncDisposable> {
  const session = connect(`http://127.0.0.1:${port}`);
  await once(session, "connect");
  return {
    session,
    async [Symbol.asyncDispose]() {
      session.destroy();
      if (!session.closed) await once(session, "close");
    },
  };
}

test("a client that speaks HTTP/2 is answered by a backend that speaks HTTP/1: fields, content, hints, trailers", async () => {
  const seen: RawRequest[] = [];
  await using backend = await RawBackend.answering((request, conn) => {
    seen.push(request);
    conn.send("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
    conn.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: x-inner\r\nx-inner: 1\r\n\r\n");
    const { content } = request;
    conn.send(`${(content.length + 1).toString(16)}\r\n!${content}\r\n0\r\nx-sum: 7\r\n\r\n`);
  });
  await using proxy = await proxyTo([backend.address]);
  await using client = await open(proxy.port);
  const fields = { ":path": "/a?b", ":authority": "shop.example", cookie: "a=1", te: "trailers" };
  const got = await ask(client.session, fields);
  expect(got).toMatchObject({ text: "!", trailers: { "x-sum": "7" }, hints: [{ ":status": 103, link: "</a>" }] });
  expect(got.headers["x-inner"]).toBeUndefined();
  const sized = await ask(client.session, { ...fields, ":method": "POST", "content-length": "3" }, "abc");
  const unsized = await ask(client.session, { ...fields, ":method": "POST" }, "defg");
  expect([sized.text, unsized.text]).toEqual(["!abc", "!defg"]);
  expect(seen.map(({ line }) => line)).toEqual(["GET /a?b HTTP/1.1", "POST /a?b HTTP/1.1", "POST /a?b HTTP/1.1"]);
  expect(seen[0]?.headers).toMatchObject({ host: "shop.example", cookie: "a=1" });
  expect(seen[0]?.headers["via"]).toMatch(/^2 hemi-/);
  expect(seen[0]?.headers["te"]).toBeUndefined();
  expect(seen.map(({ headers }) => headers["content-length"] ?? headers["transfer-encoding"] ?? "none")).toEqual([
    "none",
    "3",
    "chunked",
  ]);
  expect(backend.conns.length).toBe(1);
});

test("a stream that is reset closes the node's connection, and the others go on", async () => {
  const { promise: came, resolve } = Promise.withResolvers<void>();
  await using backend = await RawBackend.listen(async (conn) => {
    const { line } = await conn.head();
    if (line.startsWith("GET /slow")) return resolve();
    conn.answer("quick");
  });
  await using proxy = await proxyTo([backend.address]);
  await using client = await open(proxy.port);
  const slow = client.session.request({ ":path": "/slow" });
  slow.on("error", () => {});
  await came;
  slow.close(8);
  expect(await backend.conns[0]?.ended()).toBe(true);
  expect((await ask(client.session, { ":path": "/quick" })).text).toBe("quick");
});

test("nodes that fail give 502 and 504, and a broken answer resets its stream", async () => {
  await using backend = await RawBackend.answering(({ line }, conn) => {
    if (line.startsWith("GET /half")) conn.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal").socket.end();
    else if (line.startsWith("GET /bad")) conn.send("HTTP/1.1 2000 no\r\n\r\n");
  });
  await using proxy = await proxyTo([backend.address], { backend: { readTimeout: 200 } });
  await using client = await open(proxy.port);
  expect((await ask(client.session, { ":path": "/bad" })).headers[":status"]).toBe(502);
  expect((await ask(client.session, { ":path": "/silent" })).headers[":status"]).toBe(504);
  await expect(ask(client.session, { ":path": "/half" })).rejects.toThrow();
});
