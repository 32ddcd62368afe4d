// What a client may send that is wrong, and procedures that misbehave: the call ends with the right code, nothing
// hangs, and the next call works.

import { create, toBinary } from "@bufbuild/protobuf";
import { envelope } from "@hemi/common/rpc";
import { gzipSync, brotliCompressSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { SimpleRequestSchema, StreamingOutputCallRequestSchema, TestService } from "../testing/rpc/interop_pb.ts";
import { answerOf, RawCaller, type RawAnswer } from "../testing/rpc/raw-call.ts";
import { serveRpc, type RpcSite, type RpcSiteOptions } from "../testing/rpc/rpc-site.ts";
import { testBundlet, testService } from "../testing/rpc/test-service.ts";
import { implement } from "./served-bundlet.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function begin(options?: RpcSiteOptions): Promise<{ site: RpcSite; caller: RawCaller }> {
  const site = await serveRpc(options);
  const caller = new RawCaller(site.port);
  open.push(site, caller);
  return { site, caller };
}

const none = envelope(0, new Uint8Array());

function simple(behavior: string): Uint8Array {
  return envelope(0, toBinary(SimpleRequestSchema, create(SimpleRequestSchema, { behavior, responseSize: 1 })));
}

function streaming(init: { behavior?: string; responseParameters?: { size: number }[] }): Uint8Array {
  const request = create(StreamingOutputCallRequestSchema, init);
  return envelope(0, toBinary(StreamingOutputCallRequestSchema, request));
}

/** Code and message. */
function statusOf({ trailers }: RawAnswer): string {
  return `${String(trailers["grpc-status"])} ${String(trailers["grpc-message"] ?? "")}`;
}

async function worksStill(caller: RawCaller): Promise<void> {
  expect(statusOf(await caller.call("EmptyCall", [none]))).toBe("0 ");
}

describe("messages", () => {
  test.each([
    ["a size beyond the limit", [Buffer.from([0, 0xff, 0xff, 0xff, 0xff])], /^8 a message of 4294967295 bytes/],
    ["a message that is cut off", [Buffer.from([0, 0, 0, 0, 9, 1])], /^3 the request ended in the middle/],
    ["a head that is cut off", [Buffer.from([0, 0])], /^3 the request ended in the middle/],
    ["no message", [], /^12 the request has no message/],
    ["two messages", [none, none], /^12 the request has several messages/],
    ["a message and half of another one", [none, Buffer.from([0, 0])], /^3 the request ended in the middle/],
    ["unknown flags", [envelope(0x40, new Uint8Array())], /^3 a message has the unknown flags 64/],
    ["a compressed message without a coding", [envelope(1, gzipSync(""))], /^13 a message is compressed/],
    ["bytes that are no message", [envelope(0, Buffer.from([0xff, 0xff]))], /^3 a message of type .*cannot be decoded/],
    ["a string that is no UTF-8", [envelope(0, Buffer.from([0x22, 1, 0xff]))], /^(?:0 |3 )/],
  ])("%s", async (_what, content, expected) => {
    const { caller } = await begin();
    expect(statusOf(await caller.call("UnaryCall", content))).toMatch(expected);
    await worksStill(caller);
  });

  test("a size beyond the limit is refused before the client has sent it", async () => {
    const { caller } = await begin({ props: ".maxMessageSize = 100" });
    const stream = caller.begin("StreamingInputCall");
    stream.write(Buffer.from([0, 0, 0, 0, 101]));
    expect(statusOf(await answerOf(stream))).toMatch(/^8 a message of 101 bytes is larger than the limit of 100/);
    await worksStill(caller);
  });

  test.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
  ])("a message that is small only while it is compressed by %s", async (coding, compress) => {
    const { caller } = await begin();
    const bomb = envelope(1, compress(Buffer.alloc(64 * 1024 * 1024)));
    const answer = await caller.call("UnaryCall", [bomb], { "grpc-encoding": coding });
    expect(statusOf(answer)).toMatch(/^8 a message is larger than the limit of 4194304/);
    const broken = envelope(1, Buffer.from("no such thing"));
    expect(statusOf(await caller.call("UnaryCall", [broken], { "grpc-encoding": coding }))).toMatch(
      /^3 .*decompressed/,
    );
    await worksStill(caller);
  });

  test("split at every byte", async () => {
    const { caller } = await begin();
    const bytes = Buffer.concat([streaming({ responseParameters: [{ size: 2 }, { size: 3 }] }), streaming({})]);
    for (let at = 0; at <= bytes.length; at++) {
      const stream = caller.begin("FullDuplexCall");
      const answer = answerOf(stream);
      stream.write(bytes.subarray(0, at));
      // A frame of its own.
      await new Promise((resolve) => setImmediate(resolve));
      stream.end(bytes.subarray(at));
      expect(statusOf(await answer)).toBe("0 ");
    }
    const stream = caller.begin("FullDuplexCall");
    const answer = answerOf(stream);
    for (const byte of bytes) stream.write(Buffer.from([byte]));
    stream.end();
    expect((await answer).content.length).toBe(2 * 5 + 6 + 7);
  });
});

describe("fields", () => {
  test.each([
    [
      "an unknown coding",
      { "grpc-encoding": "snappy" },
      /^12 messages cannot be compressed by snappy, only by gzip,br/,
    ],
    ["a deadline without a unit", { "grpc-timeout": "10" }, /^3 the field grpc-timeout is malformed/],
    ["a deadline below zero", { "grpc-timeout": "-1S" }, /^3 the field grpc-timeout is malformed/],
    ["a deadline of 10^18 hours", { "grpc-timeout": "1000000000000000000H" }, /^3 the field grpc-timeout is malformed/],
    ["a deadline of 99999999 hours", { "grpc-timeout": "99999999H" }, /^0 $/],
    ["a deadline that is over", { "grpc-timeout": "0n" }, /^4 the deadline of the call is over/],
    ["a -bin value that is no base64", { "x-grpc-test-echo-trailing-bin": "***" }, /^3 the metadata .* is not base64/],
    ["no deadline", {}, /^0 $/],
  ])("%s", async (_what, headers, expected) => {
    const { caller } = await begin();
    expect(statusOf(await caller.call("UnaryCall", [none], headers))).toMatch(expected);
  });

  test.each(["1H", "1M", "1S", "1000m", "1000000u", "90000000n"])("a deadline of %s is understood", async (timeout) => {
    const { caller } = await begin();
    expect(statusOf(await caller.call("UnaryCall", [none], { "grpc-timeout": timeout }))).toBe("0 ");
  });

  test("deadlines in small units are over in time", async () => {
    const { caller } = await begin();
    for (const timeout of ["10m", "10000u", "10000000n"]) {
      const answer = await caller.call("UnaryCall", [simple("deaf")], { "grpc-timeout": timeout });
      expect(statusOf(answer)).toBe("4 the deadline of the call is over");
    }
  });

  test("a client without a deadline has that of the server", async () => {
    const { caller } = await begin({ props: ".maxTime = 50ms" });
    expect(statusOf(await caller.call("UnaryCall", [simple("deaf")]))).toBe("4 the deadline of the call is over");
    const late = await caller.call("UnaryCall", [simple("deaf")], { "grpc-timeout": "1H" });
    expect(statusOf(late)).toBe("4 the deadline of the call is over");
  });

  test.each([
    ["text/plain", 415],
    ["application/grpc+xml", 415],
    ["application/x-www-form-urlencoded", 415],
  ])("the content type %s", async (type, status) => {
    const { caller } = await begin();
    const answer = await caller.call("EmptyCall", [none], { "content-type": type });
    expect([answer.status, answer.headers["accept-post"]]).toEqual([
      status,
      expect.stringContaining("application/grpc"),
    ]);
  });

  test("a codec that the procedure does not have, a version of Connect that there is not", async () => {
    const { site } = await begin();
    const post = (headers: Record<string, string>, content: string): Promise<Response> =>
      fetch(`${site.url}/hemi.test.v1.TestService/EmptyCall`, { method: "POST", body: content, headers });
    const version = await post({ "content-type": "application/json", "connect-protocol-version": "2" }, "{}");
    expect([version.status, await version.text()]).toEqual([400, expect.stringContaining("connect-protocol-version")]);
    const streamed = await post({ "content-type": "application/connect+json" }, "");
    expect(await streamed.text()).toContain("unimplemented");
    const encoded = await post({ "content-type": "application/json", "content-encoding": "zip" }, "{}");
    expect([encoded.status, encoded.headers.get("accept-encoding")]).toEqual([501, "gzip,br"]);
    const timeout = await post({ "content-type": "application/json", "connect-timeout-ms": "99999999999" }, "{}");
    expect([timeout.status, await timeout.text()]).toEqual([400, expect.stringContaining("connect-timeout-ms")]);
    const invalid = await post({ "content-type": "application/json" }, "{");
    expect([invalid.status, await invalid.text()]).toEqual([400, expect.stringContaining("invalid_argument")]);
    const large = await post({ "content-type": "application/json" }, " ".repeat(5 * 1024 * 1024));
    expect([large.status, await large.text()]).toEqual([429, expect.stringContaining("resource_exhausted")]);
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, " "));
    const bombed = await fetch(`${site.url}/hemi.test.v1.TestService/EmptyCall`, {
      method: "POST",
      body: bomb,
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
    });
    expect(bombed.status).toBe(429);
  });

  test("other methods, and gRPC over HTTP/1.1", async () => {
    const { site } = await begin();
    const url = `${site.url}/hemi.test.v1.TestService/EmptyCall`;
    const put = await fetch(url, { method: "PUT", body: "{}" });
    expect([put.status, put.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
    const grpc = await fetch(url, { method: "POST", body: none, headers: { "content-type": "application/grpc" } });
    expect(grpc.status).toBe(505);
  });

  test("what is no call is left to the next handlet", async () => {
    const { site } = await begin({ behind: "" });
    expect((await fetch(`${site.url}/index.html`)).status).toBe(404);
    const json = await fetch(`${site.url}/api`, {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json" },
    });
    expect(json.status).toBe(404);
    const call = await fetch(`${site.url}/api`, {
      method: "POST",
      body: "",
      headers: { "content-type": "application/proto" },
    });
    expect([call.status, await call.text()]).toEqual([501, expect.stringContaining("there is no procedure /api")]);
  });

  test("broken base64 of gRPC-Web", async () => {
    const { site } = await begin();
    for (const content of ["AAAA*AAA", "AAAAAAA", "A=AA"]) {
      const answer = await fetch(`${site.url}/hemi.test.v1.TestService/EmptyCall`, {
        method: "POST",
        body: content,
        headers: { "content-type": "application/grpc-web-text" },
      });
      expect(Buffer.from(await answer.text(), "base64").toString("latin1")).toContain("grpc-status: 3");
    }
  });
});

describe("clients that leave", () => {
  const stages: Record<string, (stream: ReturnType<RawCaller["begin"]>) => Promise<void>> = {
    "before any content": async () => {},
    "within the head of a message": async (stream) => void stream.write(Buffer.from([0, 0])),
    "within a message": async (stream) => void stream.write(Buffer.from([0, 0, 0, 0, 9, 1])),
    "after a message": async (stream) => {
      stream.write(streaming({ responseParameters: [{ size: 1 }] }));
      await new Promise((resolve) => stream.once("data", resolve));
    },
    "while messages come": async (stream) => {
      stream.write(streaming({ behavior: "forever" }));
      await new Promise((resolve) => stream.once("data", resolve));
    },
    "while the procedure hangs": async (stream) => {
      stream.write(streaming({ responseParameters: [{ size: 1 }], behavior: "hang" }));
      await new Promise((resolve) => stream.once("data", resolve));
    },
  };

  test.each(Object.entries(stages))("%s", async (_stage, lead) => {
    const seen = { events: [] as string[] };
    const { caller } = await begin({ bundlets: [testService(seen)] });
    const stream = caller.begin("FullDuplexCall");
    await lead(stream);
    await new Promise((resolve) => setImmediate(resolve));
    stream.close(8);
    await expect.poll(() => seen.events).toContain("duplex closed");
    await worksStill(caller);
  });

  test("a connection that breaks off ends its calls", async () => {
    const seen = { events: [] as string[] };
    const { site, caller } = await begin({ bundlets: [testService(seen)] });
    const stream = caller.begin("FullDuplexCall");
    stream.write(streaming({ responseParameters: [{ size: 1 }], behavior: "hang" }));
    await expect.poll(() => seen.events).toContain("hangs");
    caller.session.destroy();
    await expect.poll(() => seen.events).toContain("duplex closed");
    expect(site.log.filter((line) => line.includes(" error "))).toEqual([]);
  });

  test("a stream whose client says nothing ends at its deadline", async () => {
    const { caller } = await begin({ props: ".maxStreamTime = 100ms", server: ".contentTimeout = 20ms" });
    const stream = caller.begin("StreamingInputCall");
    expect(statusOf(await answerOf(stream))).toBe("4 the deadline of the call is over");
    await worksStill(caller);
  });

  test("a stream may be silent for longer than the limits of other requests", async () => {
    const { caller } = await begin({ server: ".contentTimeout = 20ms .handleTimeout = 20ms .contentRateGrace = 10ms" });
    const stream = caller.begin("FullDuplexCall");
    const answer = answerOf(stream);
    stream.write(streaming({ responseParameters: [{ size: 1 }] }));
    // Another request has waited for longer, in vain.
    const stalled = await answerOf(caller.begin("UnaryCall"));
    expect(statusOf(stalled)).toMatch(/^4 the content of the request did not come in time/);
    stream.end(streaming({ responseParameters: [{ size: 1 }] }));
    expect(statusOf(await answer)).toBe("0 ");
  });
});

describe("procedures that misbehave", () => {
  test("one that throws", async () => {
    const { site, caller } = await begin();
    expect(statusOf(await caller.call("UnaryCall", [simple("throw")]))).toBe("13 ");
    expect(statusOf(await caller.call("StreamingOutputCall", [streaming({ behavior: "throw" })]))).toBe("13 ");
    const after = streaming({ responseParameters: [{ size: 5 }], behavior: "throw" });
    const answer = await caller.call("StreamingOutputCall", [after]);
    expect([statusOf(answer), answer.content.length]).toEqual(["13 ", 14]);
    expect(site.log.filter((line) => line.includes("the secret of the server"))).toHaveLength(3);
  });

  test("one that hangs, with its signal and without it", async () => {
    const seen = { events: [] as string[] };
    const { caller } = await begin({ bundlets: [testService(seen)] });
    for (const behavior of ["hang", "deaf"]) {
      const answer = await caller.call("UnaryCall", [simple(behavior)], { "grpc-timeout": "50m" });
      expect(statusOf(answer)).toBe("4 the deadline of the call is over");
      const stream = await caller.call("StreamingOutputCall", [streaming({ behavior })], { "grpc-timeout": "50m" });
      expect(statusOf(stream)).toBe("4 the deadline of the call is over");
    }
    expect(seen.events.filter((event) => event === "aborted: deadline_exceeded")).toHaveLength(2);
  });

  test("one that yields for ever waits for its client", async () => {
    let yielded = 0;
    const endless = implement(testBundlet, {
      ...idle,
      async *streamingOutputCall() {
        try {
          for (;;) {
            yielded++;
            yield { payload: { body: new Uint8Array(1000) } };
          }
        } finally {
          yielded = -1;
        }
      },
    });
    const { caller } = await begin({ bundlets: [endless] });
    const stream = caller.begin("StreamingOutputCall");
    stream.end(streaming({}));
    await new Promise((resolve) => stream.once("readable", resolve));
    // The window of a stream is 64 KiB, and nothing is read.
    await expect.poll(() => yielded).toBeGreaterThan(60);
    expect(yielded).toBeLessThan(5000);
    stream.close(8);
    await expect.poll(() => yielded).toBe(-1);
  });

  test("one that returns no iterable, or an invalid message", async () => {
    const wrong = implement(testBundlet, {
      ...idle,
      streamingOutputCall: (() => 5) as never,
      unaryCall: (() => "text") as never,
    });
    const { site, caller } = await begin({ bundlets: [wrong] });
    expect(statusOf(await caller.call("StreamingOutputCall", [none]))).toBe("13 ");
    expect(statusOf(await caller.call("UnaryCall", [none]))).toBe("13 ");
    expect(site.log.join("\n")).toMatch(/must return an async iterable[^]*returned an invalid message/);
  });

  test("one that sets forbidden metadata", async () => {
    const forging = implement(testBundlet, {
      ...idle,
      emptyCall: (_input, call) => {
        call.trailers.set("grpc-status", "0");
        return {};
      },
    });
    const { caller } = await begin({ bundlets: [forging] });
    expect(statusOf(await caller.call("EmptyCall", [none]))).toBe("13 ");
  });

  test("more calls than may run", async () => {
    const seen = { events: [] as string[] };
    const { caller } = await begin({ bundlets: [testService(seen)], props: ".maxCalls = 1" });
    const first = caller.begin("UnaryCall");
    first.end(simple("hang"));
    await expect.poll(() => seen.events).toContain("hangs");
    expect(statusOf(await caller.call("UnaryCall", [none]))).toMatch(/^8 too many calls/);
    first.close(8);
    await expect.poll(() => seen.events).toContain("aborted: canceled");
    expect(statusOf(await caller.call("UnaryCall", [none]))).toBe("0 ");
  });

  test("procedures that work on after their client has left count for maxCalls", async () => {
    const gate = Promise.withResolvers<Record<string, never>>();
    let begun = 0;
    const emptyCall = (): Promise<Record<string, never>> => {
      begun++;
      return gate.promise;
    };
    const late = implement(testBundlet, { ...idle, emptyCall }, { limits: { emptyCall: { maxCalls: 1 } } });
    const { caller } = await begin({ bundlets: [late] });
    const first = caller.begin("EmptyCall");
    first.end(none);
    await expect.poll(() => begun).toBe(1);
    first.close(8);
    expect(statusOf(await caller.call("EmptyCall", [none]))).toMatch(/^8 too many calls/);
    gate.resolve({});
    await worksStill(caller);
  });

  test("a stream whose client read nothing before its deadline counts for maxCalls no longer", async () => {
    const seen = { events: [] as string[] };
    const { caller } = await begin({ bundlets: [testService(seen)], props: ".maxCalls = 1" });
    caller.session.settings({ initialWindowSize: 0 });
    const answer = answerOf(
      caller
        .begin("StreamingOutputCall", { "grpc-timeout": "50m" })
        .end(streaming({ responseParameters: [{ size: 1 }], behavior: "forever" })),
    );
    await expect.poll(() => seen.events).toContain("output closed");
    caller.session.settings({ initialWindowSize: 1_000_000 });
    expect(statusOf(await answer)).toMatch(/^4 /);
    expect(statusOf(await caller.call("StreamingOutputCall", [streaming({})]))).toBe("0 ");
  });

  test("more calls a second than a procedure takes", async () => {
    const limited = implement(testBundlet, idle, {
      limits: { unaryCall: { maxRate: 0.001 }, emptyCall: { maxRate: 2 } },
    });
    const { caller } = await begin({ bundlets: [limited] });
    expect(statusOf(await caller.call("UnaryCall", [none]))).toMatch(/^8 there are too many calls/);
    for (let call = 0; call < 2; call++) await worksStill(caller);
  });

  test("limits of one procedure are its own", async () => {
    const limited = implement(testBundlet, idle, {
      limits: { unaryCall: { maxMessageSize: 10 }, emptyCall: { maxTime: 0 } },
    });
    const { caller } = await begin({ bundlets: [limited] });
    const body = envelope(0, new Uint8Array(11));
    expect(statusOf(await caller.call("UnaryCall", [body]))).toMatch(/^8 /);
    expect(statusOf(await caller.call("CacheableUnaryCall", [envelope(0, Buffer.from([8, 1]))]))).toBe("0 ");
    expect(statusOf(await caller.call("EmptyCall", [none]))).toMatch(/^4 /);
  });
});

test("interceptors stand around procedures, the first one outermost", async () => {
  const order: string[] = [];
  const service = implement(testBundlet, idle, {
    interceptors: [
      (call, input, next) => {
        order.push(`in ${call.path}`);
        const output = next(input);
        order.push("out");
        return output;
      },
      (_call, input, next) => {
        order.push("inner");
        return next(input);
      },
    ],
  });
  const { caller } = await begin({ bundlets: [service] });
  await worksStill(caller);
  expect(order).toEqual([`in /${TestService.typeName}/EmptyCall`, "inner", "out"]);
});

const idle = {
  emptyCall: () => ({}),
  unaryCall: () => ({}),
  cacheableUnaryCall: () => ({}),
  async *streamingOutputCall() {},
  streamingInputCall: () => ({}),
  async *fullDuplexCall() {},
};
