// hrpc: our client against our server, over TCP, TLS and UNIX sockets.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundlet, makeClient, Metadata, unary } from "@hemi/common/rpc";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { certificateFolder, testAuthority } from "../../testing/certificates.ts";
import { numbers, numbersService, type NumbersObserved } from "../../testing/rpc/numbers-service.ts";
import { serveRpcServer, type RpcServerSiteOptions } from "../../testing/rpc/rpc-server-site.ts";
import { testBundlet, testService } from "../../testing/rpc/test-service.ts";
import { implement } from "../served-bundlet.ts";
import { hrpcTransport } from "./hrpc-transport.ts";

function observe(): NumbersObserved {
  return { events: [], failures: 0 };
}

async function begin(options: RpcServerSiteOptions & { readonly observed?: NumbersObserved } = {}) {
  const { observed = observe(), ...site } = options;
  const server = await serveRpcServer({ bundlets: [numbersService(observed), testService()], ...site });
  const transport = hrpcTransport(`hrpc://${server.address}`);
  return {
    server,
    transport,
    stock: makeClient(numbers, transport),
    observed,
    async [Symbol.asyncDispose]() {
      transport.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

describe("a client by hrpc", () => {
  test("calls all kinds of procedures, whose messages are JSON or protobuf", async () => {
    await using site = await begin();
    const { stock, transport } = site;
    expect(await stock.double({})).toEqual({ n: 8 });
    expect(await collect(stock.count({ n: 3 }))).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
    expect(await stock.sum([{ n: 1 }, { n: 5 }])).toEqual({ n: 6 });
    expect(await stock.sum([])).toEqual({ n: 0 });
    expect(await collect(stock.echo([{ text: "a" }, { text: "" }]))).toEqual([{ text: "a" }, { text: "" }]);
    const proto = makeClient(testBundlet, transport);
    expect((await proto.unaryCall({ responseSize: 300_000 })).payload?.body.length).toBe(300_000);
    expect(
      (await proto.streamingInputCall([{ payload: { body: new Uint8Array(70_000) } }])).aggregatedPayloadSize,
    ).toBe(70_000);
  });

  test("makes many calls at once on one connection", async () => {
    await using site = await begin({ props: ".maxConns = 1" });
    const answers = await Promise.all(Array.from({ length: 500 }, (_, n) => site.stock.double({ n: 1000 + n })));
    expect(answers.map(({ n }) => n)).toEqual(Array.from({ length: 500 }, (_, n) => 2 * (1000 + n)));
  });

  test("talks in both directions at the same time", async () => {
    await using site = await begin();
    const gate = Promise.withResolvers<void>();
    async function* inputs() {
      yield { text: "first" };
      await gate.promise;
      yield { text: "second" };
    }
    const got: string[] = [];
    for await (const { text } of site.stock.echo(inputs())) {
      got.push(text);
      gate.resolve();
    }
    expect(got).toEqual(["first", "second"]);
  });

  test("gets codes and metadata, and nothing of errors that are not meant for it", async () => {
    await using site = await begin();
    const got: (string | undefined)[] = [];
    await site.stock.double(
      { n: 1 },
      {
        metadata: new Metadata({ "x-asked": "a" }),
        onHeaders: (headers) => got.push(headers.get("x-head")),
        onTrailers: (trailers) => got.push(trailers.get("x-trail")),
      },
    );
    expect(got).toEqual(["a", "t"]);
    await expect(site.stock.double({ n: -1 })).rejects.toMatchObject({ code: "out_of_range", message: "below zero" });
    await expect(site.stock.double({ n: -99 })).rejects.toMatchObject({ code: "internal", message: "" });
    expect(site.server.log.join("\n")).toContain("the secret of the server");
    await expect(site.stock.double({ n: "x" as never })).rejects.toMatchObject({ code: "invalid_argument" });
    const other = makeClient(bundlet("no.Such", { thing: numbers.procedures.double }), site.transport);
    await expect(other.thing({})).rejects.toMatchObject({ code: "unimplemented" });
  });

  test("gives up at its deadline and by its signal, and the procedure is told", async () => {
    await using site = await begin();
    const { stock, observed } = site;
    const count = (wanted: string): number => observed.events.filter((event) => event === wanted).length;
    // Its connection may take longer than that.
    await expect(stock.double({ n: 99 }, { timeout: 60 })).rejects.toMatchObject({ code: "deadline_exceeded" });
    const before = count("hangs");
    const abort = new AbortController();
    const canceled = expect(stock.double({ n: 99 }, { signal: abort.signal })).rejects.toMatchObject({
      code: "canceled",
    });
    await expect.poll(() => count("hangs")).toBe(before + 1);
    abort.abort();
    await canceled;
    await expect.poll(() => count("aborted")).toBe(before + 1);
  });

  test("is told at the server's own time limit, though the procedure ignores its signal", async () => {
    await using site = await begin({ props: ".maxTime = 50ms" });
    await expect(site.stock.double({ n: 98 })).rejects.toMatchObject({ code: "deadline_exceeded" });
    expect(await site.stock.double({ n: 1 })).toEqual({ n: 2 });
  });

  test("closes the procedure when it leaves a stream that never ends, which sends no faster than it reads", async () => {
    await using site = await begin();
    for await (const { n } of site.stock.count({ n: 1e9 })) if (n === 2) break;
    await expect.poll(() => site.observed.events).toEqual(["count closed"]);
  });

  test("sends and gets large messages compressed", async () => {
    await using site = await begin();
    const large = "a".repeat(500_000);
    expect(await collect(site.stock.echo([{ text: large }]))).toEqual([{ text: large }]);
  });

  test("is refused a message beyond the limit, and a procedure may have another limit", async () => {
    const echo = bundlet("test.Echo", { one: unary({ input: z.string(), output: z.number() }) });
    const served = implement(echo, { one: (text) => text.length }, { limits: { one: { maxMessageSize: 100 } } });
    await using site = await begin({ bundlets: [served] });
    const client = makeClient(echo, site.transport);
    expect(await client.one("a".repeat(50))).toBe(50);
    await expect(client.one("a".repeat(200))).rejects.toMatchObject({ code: "resource_exhausted" });
    expect(await client.one("b")).toBe(1);
  });

  test("is called by its server, over the same connection", async () => {
    const progress = bundlet("test.Progress", { ask: unary({ input: z.string(), output: z.string() }) });
    const work = bundlet("test.Work", { run: unary({ input: z.string(), output: z.string() }) });
    const served = implement(work, {
      async run(input, call) {
        if (call.caller === undefined) throw new Error("there is no way back");
        const { ask } = makeClient(progress, call.caller);
        return `${await ask(`${input}?`)}!`;
      },
    });
    await using server = await serveRpcServer({ bundlets: [served] });
    await using transport = hrpcTransport(`hrpc://${server.address}`, {
      log: openErrorLog({ sink: new MemorySink() }),
      serves: [implement(progress, { ask: (text) => `yes, ${text}` })],
    });
    expect(await makeClient(work, transport).run("ready")).toBe("yes, ready?!");
    // A client that serves nothing refuses.
    await using other = hrpcTransport(`hrpc://${server.address}`);
    await expect(makeClient(work, other, { retries: 0 }).run("ready")).rejects.toMatchObject({ code: "unavailable" });
  });

  test("finds HTTP and gRPC on the same port", async () => {
    await using site = await begin();
    expect(await site.stock.double({ n: 2 })).toEqual({ n: 4 });
    const response = await fetch(`${site.server.url}/test.Numbers/double`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"n":3}',
    });
    expect(await response.json()).toEqual({ n: 6 });
    expect((await fetch(`${site.server.url}/`, { method: "HEAD" })).status).toBe(404);
  });

  test("is answered over a UNIX socket", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "hemi-hrpc-")), "rpc.sock");
    await using _server = await serveRpcServer({ bundlets: [numbersService()], address: path });
    await using transport = hrpcTransport(`hrpc:${path}`);
    expect(await makeClient(numbers, transport).double({ n: 3 })).toEqual({ n: 6 });
  });

  test("is answered over TLS, by ALPN", async () => {
    await using folder = await certificateFolder();
    const { tlsCert, tlsKey } = await folder.issue("server", { names: ["localhost"] });
    const ca = (await testAuthority()).cert;
    const props = `.tlsMode = true .tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`;
    await using server = await serveRpcServer({ bundlets: [numbersService()], props });
    await using transport = hrpcTransport(`hrpcs://localhost:${server.port}`, { tls: { ca } });
    expect(await makeClient(numbers, transport).double({ n: 3 })).toEqual({ n: 6 });
    await using untrusting = hrpcTransport(`hrpcs://localhost:${server.port}`);
    await expect(makeClient(numbers, untrusting, { retries: 0 }).double({ n: 3 })).rejects.toMatchObject({
      code: "unavailable",
    });
  });

  test("is told that the server cannot be reached, or speaks another protocol", async () => {
    const site = await begin();
    await site[Symbol.asyncDispose]();
    await using transport = hrpcTransport(`hrpc://${site.server.address}`);
    const call = makeClient(numbers, transport, { retries: 0 }).double({ n: 1 });
    await expect(call).rejects.toMatchObject({ code: "unavailable" });
    expect(() => hrpcTransport("http://127.0.0.1:80")).toThrow(/hrpc:\/\/host:port/);
  });
});

describe("a reload", () => {
  test("ends streams of a dropped server with unavailable, and idle connections without a word", async () => {
    await using site = await begin();
    const { stock, server } = site;
    const counting = stock.count({ n: 1e9 });
    const iterator = counting[Symbol.asyncIterator]();
    await iterator.next();
    const quitting = server.stage.quit(200);
    const error = await (async () => {
      for (;;) if ((await iterator.next()).done === true) return undefined;
    })().catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "unavailable" });
    await quitting;
  });

  test("changes limits for connections that are open", async () => {
    await using site = await begin();
    expect(await site.stock.double({ n: 1 })).toEqual({ n: 2 });
    await site.server.stage.reload({ text: site.server.textWith(".maxTime = 30ms") });
    await expect(site.stock.double({ n: 98 })).rejects.toMatchObject({ code: "deadline_exceeded" });
  });
});
