import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { RawBackend, type BackendConn, type RawRequest } from "../../testing/raw-backend.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import type { ServerPart } from "../../stage/kinds/server.ts";
import { RawClient, request } from "../../testing/raw-client.ts";

/** A proxy to a backend that answers "hello", with a mirror that does what it is told. */
async function mirrored(mirror: (request: RawRequest, conn: BackendConn) => unknown, props = "") {
  const main = await RawBackend.answering((request, conn) => conn.answer(`${request.line} ${request.content.length}`));
  const other = await RawBackend.answering(mirror);
  const sink = new MemorySink();
  const text = `stage {
    http1Backend "main" { .nodes = (["address": "${main.address}"]) }
    http1Backend "other" { .nodes = (["address": "${other.address}"]) .maxQueued = 0 }
    httpxServer "main" { .webapps = ("all") .address = "127.0.0.1:0" }
    webapp "all" {
      .hostnames = ("*")
      rule { .maxContentSize = 100M httpProxy { .toBackend = "main" .mirrorTo = "other" ${props} } }
    }
  }`;
  const stage = await bootWith([]).bootText(text, { log: openErrorLog({ level: "debug", sink }) });
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const client = await RawClient.connect({ host: "127.0.0.1", port: Number(listensOn.split(":")[1]) });
  return {
    log: sink.lines,
    ask: (bytes: string) => client.send(bytes).response(),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await stage.quit(1000);
      await main[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    },
  };
}

test("another backend gets each request, and nobody sees what it answers", async () => {
  const seen: RawRequest[] = [];
  await using proxy = await mirrored((request, conn) => {
    seen.push(request);
    conn.answer("mirrored");
  });
  expect((await proxy.ask(request("GET /a?b"))).text).toBe("GET /a?b HTTP/1.1 0");
  expect((await proxy.ask(request("POST /c", { "content-length": "5" }) + "12345")).text).toBe("POST /c HTTP/1.1 5");
  const chunked = request("POST /d", { "transfer-encoding": "chunked" }) + "3\r\nabc\r\n0\r\n\r\n";
  expect((await proxy.ask(chunked)).text).toBe("POST /d HTTP/1.1 3");
  await expect
    .poll(() => seen.map(({ line, content }) => `${line} ${content}`))
    .toEqual(["GET /a?b HTTP/1.1 ", "POST /c HTTP/1.1 12345", "POST /d HTTP/1.1 abc"]);
});

test("content that was gathered is mirrored, too", async () => {
  const seen = Promise.withResolvers<string>();
  await using proxy = await mirrored(({ content }) => seen.resolve(content), ".bufferClientContent = true");
  await proxy.ask(request("POST /", { "content-length": "5" }) + "12345");
  expect(await seen.promise).toBe("12345");
});

test.each<[string, (request: RawRequest, conn: BackendConn) => unknown]>([
  ["says nothing", () => undefined],
  ["breaks off", (_request, conn) => conn.socket.destroy()],
  ["is no HTTP", (_request, conn) => conn.send("hello\r\n\r\n")],
])("a mirror that %s is not noticed", async (_name, mirror) => {
  await using proxy = await mirrored(mirror);
  for (let i = 0; i < 3; i++) expect((await proxy.ask(request("GET /"))).status).toBe(200);
});

test("no more copies are under way than there may be", async () => {
  let copies = 0;
  await using proxy = await mirrored(() => copies++, ".maxMirrored = 2");
  for (let i = 0; i < 5; i++) await proxy.ask(request("GET /"));
  await expect.poll(() => copies).toBe(2);
  expect(proxy.log.join("").match(/is not mirrored: there are maxMirrored copies already/g)).toHaveLength(3);
});

test("a mirror that takes content too slowly is given up, and the request is not held back", async () => {
  const never = new Promise<never>(() => undefined);
  const main = await RawBackend.answering((request, conn) => conn.answer(String(request.content.length)));
  await using _main = main;
  await using other = await RawBackend.listen((conn) => {
    conn.socket.pause();
    return never;
  });
  const sink = new MemorySink();
  const text = `stage {
    http1Backend "main" { .nodes = (["address": "${main.address}"]) }
    http1Backend "other" { .nodes = (["address": "${other.address}"]) }
    httpxServer "main" { .webapps = ("all") .address = "127.0.0.1:0" }
    webapp "all" {
      .hostnames = ("*")
      rule { .maxContentSize = 100M httpProxy { .toBackend = "main" .mirrorTo = "other" .maxMirrorBacklog = 64K } }
    }
  }`;
  await using stage = await bootWith([]).bootText(text, { log: openErrorLog({ level: "debug", sink }) });
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  await using client = await RawClient.connect({ host: "127.0.0.1", port: Number(listensOn.split(":")[1]) });
  const size = 12_000_000;
  client.send(request("POST /", { "content-length": String(size) })).send(Buffer.alloc(size, 1));
  expect((await client.response()).text).toBe(String(size));
  expect(sink.lines.join("")).toContain("is not mirrored: it takes its content too slowly");
});
