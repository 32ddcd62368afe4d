// Foreign clients at each door: @connectrpc/connect by Connect, gRPC and gRPC-Web, and requests by hand.

import { fromBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Client, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { bundlet, RpcError, serverStreaming, unary, envelope } from "@hemi/common/rpc";
import { errorDetail } from "@hemi/common/rpc-proto";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { serveRpc } from "../testing/rpc/rpc-site.ts";
import { testBundlet, testService } from "../testing/rpc/test-service.ts";
import { EchoStatusSchema, SimpleResponseSchema, TestService } from "../testing/rpc/interop_pb.ts";
import { implement } from "./served-bundlet.ts";

type Options = { readonly baseUrl: string; readonly httpVersion: "2" };

const transports: Record<string, (options: Options) => Transport> = {
  "Connect, protobuf": (options) => createConnectTransport({ ...options, useBinaryFormat: true }),
  "Connect, JSON": (options) => createConnectTransport({ ...options, useBinaryFormat: false }),
  "Connect over HTTP/1.1": ({ baseUrl }) => createConnectTransport({ baseUrl, httpVersion: "1.1" }),
  "gRPC, protobuf": (options) => createGrpcTransport(options),
  "gRPC, JSON": (options) => createGrpcTransport({ ...options, useBinaryFormat: false }),
  "gRPC-Web, protobuf": (options) => createGrpcWebTransport(options),
  "gRPC-Web over HTTP/1.1": ({ baseUrl }) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
};

const stock = bundlet("shop.v1.Stock", {
  find: unary({
    input: z.object({ sku: z.string().min(2), count: z.number().default(1) }),
    output: z.object({ count: z.number() }),
    idempotency: "no_side_effects",
  }),
  watch: serverStreaming({ input: z.object({}), output: z.object({ n: z.number() }), idempotency: "no_side_effects" }),
});

const stockService = implement(stock, {
  find({ sku, count }) {
    if (sku === "gone") throw new RpcError("not_found", "no such thing");
    if (sku === "wrong") return { count: "many" as unknown as number };
    return { count: sku.length * count };
  },
  async *watch(_input, call) {
    for (let n = Number(call.lastEventId ?? 0) + 1; n <= 3; n++) {
      call.eventId = String(n);
      yield { n };
    }
    if (call.lastEventId === "3") throw new RpcError("out_of_range", "that is all");
  },
});

describe.each(Object.entries(transports))("a client of connect-es by %s", (name, makeTransport) => {
  function connect(url: string): Client<typeof TestService> {
    return createClient(TestService, makeTransport({ baseUrl: url, httpVersion: "2" }));
  }

  test("calls all kinds of procedures", async () => {
    await using site = await serveRpc();
    const client = connect(site.url);
    expect(await client.emptyCall({})).toMatchObject({});
    const unary = await client.unaryCall({ responseSize: 100_000, payload: { body: new Uint8Array(50_000) } });
    expect([unary.payload?.body.length, unary.username]).toEqual([100_000, "50000"]);
    const sizes: (number | undefined)[] = [];
    const parameters = [{ size: 10 }, { size: 100_000 }, { size: 0 }];
    for await (const { payload } of client.streamingOutputCall({ responseParameters: parameters }))
      sizes.push(payload?.body.length);
    expect(sizes).toEqual([10, 100_000, 0]);
    async function* inputs() {
      for (const size of [5, 70_000]) yield { payload: { body: new Uint8Array(size) } };
    }
    expect((await client.streamingInputCall(inputs())).aggregatedPayloadSize).toBe(70_005);
    if (name.includes("HTTP/1.1")) return;
    async function* duplex() {
      for (const size of [3, 4]) yield { responseParameters: [{ size }] };
    }
    const duplexSizes: (number | undefined)[] = [];
    for await (const { payload } of client.fullDuplexCall(duplex())) duplexSizes.push(payload?.body.length);
    expect(duplexSizes).toEqual([3, 4]);
  });

  test("gets codes, messages, details and metadata of errors", async () => {
    const failing = implement(testBundlet, {
      ...refusing,
      emptyCall(_input, call) {
        call.headers.set("x-head", "h");
        call.trailers.set("x-trail", "t");
        throw new RpcError("failed_precondition", "ümlaut % \n", {
          details: [errorDetail(EchoStatusSchema, { code: 7, message: "seven" })],
        });
      },
    });
    await using site = await serveRpc({ bundlets: [failing] });
    const error = ConnectError.from(
      await connect(site.url)
        .emptyCall({})
        .catch((error: unknown) => error),
    );
    expect(error.code).toBe(Code.FailedPrecondition);
    expect(error.rawMessage).toBe("ümlaut % \n");
    expect(error.findDetails(EchoStatusSchema)).toMatchObject([{ code: 7, message: "seven" }]);
    expect([error.metadata.get("x-head"), error.metadata.get("x-trail")]).toEqual(["h", "t"]);
  });

  test("learns nothing of what a procedure throws beside RpcError", async () => {
    await using site = await serveRpc();
    const client = connect(site.url);
    const error = ConnectError.from(await client.unaryCall({ behavior: "throw" }).catch((error: unknown) => error));
    expect([error.code, error.rawMessage]).toEqual([Code.Internal, ""]);
    expect(site.log.join("\n")).toMatch(/error webapp\.site\/rule\/rpcHandlet .*\n.*the secret of the server/);
  });

  test("has a deadline", async () => {
    await using site = await serveRpc();
    const call = connect(site.url).unaryCall({ behavior: "deaf" }, { timeoutMs: 50 });
    await expect(call).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  });

  test("cancels a stream, which ends its procedure", async () => {
    const seen = { events: [] as string[] };
    await using site = await serveRpc({ bundlets: [testService(seen)] });
    const abort = new AbortController();
    const stream = connect(site.url).streamingOutputCall({ behavior: "forever" }, { signal: abort.signal });
    await expect(
      (async () => {
        for await (const _message of stream) abort.abort();
      })(),
    ).rejects.toMatchObject({ code: Code.Canceled });
    await expect.poll(() => seen.events).toContain("output closed");
  });
});

const refusing = {
  emptyCall: () => ({}),
  unaryCall: () => ({}),
  cacheableUnaryCall: () => ({}),
  async *streamingOutputCall() {},
  streamingInputCall: () => ({}),
  async *fullDuplexCall() {},
};

describe("JSON by name", () => {
  async function post(url: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
    return await fetch(url, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
  }

  test("calls procedures of a schema, with its defaults", async () => {
    await using site = await serveRpc({ bundlets: [stockService] });
    const response = await post(`${site.url}/shop.v1.Stock/find`, '{"sku":"abc"}');
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(await response.json()).toEqual({ count: 3 });
  });

  test("answers errors with their status", async () => {
    await using site = await serveRpc({ bundlets: [stockService] });
    const invalid = await post(`${site.url}/shop.v1.Stock/find`, '{"sku":"a"}');
    expect([invalid.status, ((await invalid.json()) as { code: string }).code]).toEqual([400, "invalid_argument"]);
    const gone = await post(`${site.url}/shop.v1.Stock/find`, '{"sku":"gone"}');
    expect([gone.status, await gone.json()]).toEqual([404, { code: "not_found", message: "no such thing" }]);
  });

  test("an invalid message of the procedure is internal, and a line in the log", async () => {
    await using site = await serveRpc({ bundlets: [stockService] });
    const response = await post(`${site.url}/shop.v1.Stock/find`, '{"sku":"wrong"}');
    expect([response.status, await response.json()]).toEqual([500, { code: "internal" }]);
    expect(site.log.join("\n")).toContain("/shop.v1.Stock/find returned an invalid message: count");
  });

  test("a GET calls what has no side effects, and nothing else", async () => {
    await using site = await serveRpc({ bundlets: [stockService, testService()] });
    const query = `connect=v1&encoding=json&message=${encodeURIComponent('{"sku":"abcd"}')}`;
    expect(await (await fetch(`${site.url}/shop.v1.Stock/find?${query}`)).json()).toEqual({ count: 4 });
    const proto = "connect=v1&encoding=proto&base64=1&message=CAU";
    const cacheable = await fetch(`${site.url}/hemi.test.v1.TestService/CacheableUnaryCall?${proto}`);
    expect(Buffer.from(await cacheable.arrayBuffer()).toString("hex")).toBe("0a070a050000000000");
    const other = await fetch(`${site.url}/hemi.test.v1.TestService/UnaryCall?${proto}`);
    expect([other.status, ((await other.json()) as { code: string }).code]).toEqual([501, "unimplemented"]);
  });

  test("a procedure of a schema has no protobuf", async () => {
    await using site = await serveRpc({ bundlets: [stockService] });
    const response = await post(`${site.url}/shop.v1.Stock/find`, "", { "content-type": "application/proto" });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([501, "unimplemented"]);
  });

  test("OpenAPI describes the procedures", async () => {
    await using site = await serveRpc({
      bundlets: [stockService, testService()],
      props: '.openAPI = "/openapi.json" .stripPrefix = "/rpc"',
    });
    const document = (await (await fetch(`${site.url}/rpc/openapi.json`)).json()) as Record<string, never>;
    expect(document["openapi"]).toBe("3.1.0");
    expect(Object.keys(document["paths"]!)).toEqual([
      "/rpc/shop.v1.Stock/find",
      "/rpc/shop.v1.Stock/watch",
      "/rpc/hemi.test.v1.TestService/EmptyCall",
      "/rpc/hemi.test.v1.TestService/UnaryCall",
      "/rpc/hemi.test.v1.TestService/CacheableUnaryCall",
      "/rpc/hemi.test.v1.TestService/StreamingOutputCall",
    ]);
    expect(document).toMatchObject({
      paths: {
        "/rpc/shop.v1.Stock/find": {
          get: { parameters: [{ name: "encoding" }, { name: "message" }] },
          post: {
            requestBody: {
              content: { "application/json": { schema: { $ref: "#/components/schemas/shop.v1.Stock.find.Input" } } },
            },
          },
        },
      },
      components: {
        schemas: {
          "shop.v1.Stock.find.Input": { required: ["sku"] },
          "hemi.test.v1.SimpleRequest": {
            properties: { payload: { $ref: "#/components/schemas/hemi.test.v1.Payload" } },
          },
        },
      },
    });
    // Every reference leads somewhere.
    const text = JSON.stringify(document);
    const schemas = (document as { components?: { schemas: object } }).components!.schemas;
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) expect(schemas).toHaveProperty([name!]);
    expect((await post(`${site.url}/rpc/shop.v1.Stock/find`, '{"sku":"ab"}')).status).toBe(200);
    expect((await post(`${site.url}/shop.v1.Stock/find`, '{"sku":"ab"}')).status).toBe(404);
  });
});

describe("event streams", () => {
  async function events(url: string, headers: Record<string, string> = {}): Promise<string> {
    const response = await fetch(`${url}/shop.v1.Stock/watch?message={}`, {
      headers: { accept: "text/event-stream", ...headers },
    });
    return `${response.status} ${response.headers.get("content-type")}\n${await response.text()}`;
  }

  test("a server stream is events with ids, and goes on behind Last-Event-ID", async () => {
    await using site = await serveRpc({ bundlets: [stockService] });
    expect(await events(site.url)).toBe(
      "200 text/event-stream\n" +
        'id: 1\ndata: {"n":1}\n\nid: 2\ndata: {"n":2}\n\nid: 3\ndata: {"n":3}\n\nevent: end\ndata: {}\n\n',
    );
    expect(await events(site.url, { "last-event-id": "2" })).toBe(
      '200 text/event-stream\nid: 3\ndata: {"n":3}\n\nevent: end\ndata: {}\n\n',
    );
  });

  test("an error before the first message has a status, which keeps browsers from asking again", async () => {
    await using site = await serveRpc({ bundlets: [stockService] });
    expect(await events(site.url, { "last-event-id": "3" })).toBe(
      '400 application/json\n{"code":"out_of_range","message":"that is all"}',
    );
  });
});

describe("gRPC-Web as text", () => {
  test("has base64 in both directions, in pieces of any kind", async () => {
    await using site = await serveRpc();
    // Two encoded parts with padding: the head of the envelope, and the message.
    const request = envelope(0, Buffer.from([0x08, 0x03]));
    const body =
      Buffer.from(request.subarray(0, 5)).toString("base64") + Buffer.from(request.subarray(5)).toString("base64");
    const response = await fetch(`${site.url}/hemi.test.v1.TestService/UnaryCall`, {
      method: "POST",
      headers: { "content-type": "application/grpc-web-text" },
      body,
    });
    const text = await response.text();
    const parts = text.match(/[^=]+={0,2}/g)!.map((part) => Buffer.from(part, "base64"));
    const content = Buffer.concat(parts);
    const size = content.readUInt32BE(1);
    const answer = fromBinary(SimpleResponseSchema, content.subarray(5, 5 + size));
    expect(answer.payload?.body.length).toBe(3);
    expect(content[5 + size]).toBe(0x80);
    expect(content.subarray(5 + size + 5).toString("latin1")).toBe("grpc-status: 0\r\n");
  });
});
