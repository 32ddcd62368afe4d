// gRPC-Web before a foreign gRPC server that speaks gRPC alone.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { envelope, EnvelopeReader } from "@hemi/common/rpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveBridged } from "../../testing/rpc/bridged-site.ts";
import { serveByGrpcJs, type GrpcJsServer } from "../../testing/rpc/grpc-js-server.ts";
import { SimpleRequestSchema, SimpleResponseSchema } from "../../testing/rpc/interop_pb.ts";
import type { RpcSite } from "../../testing/rpc/rpc-site.ts";

let server: GrpcJsServer;
let site: RpcSite;
beforeAll(async () => {
  server = await serveByGrpcJs();
  site = await serveBridged(server.port, "");
});
afterAll(async () => {
  await site[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

interface WebAnswer {
  readonly status: number;
  readonly type: string | null;
  readonly messages: readonly Uint8Array[];
  readonly trailers: string;
  readonly headers: Headers;
}

async function call(type: string, content: Uint8Array | string, more: Record<string, string> = {}): Promise<WebAnswer> {
  const response = await fetch(`${site.url}/hemi.test.v1.TestService/UnaryCall`, {
    method: "POST",
    headers: { "content-type": type, "x-grpc-web": "1", "x-bridge": "web", ...more },
    body: typeof content === "string" ? content : Buffer.from(content),
  });
  const { status, headers } = response;
  if (status !== 200) return { status, type: headers.get("content-type"), messages: [], trailers: "", headers };
  const reader = new EnvelopeReader(1_000_000);
  const received = Buffer.from(await response.arrayBuffer());
  const isText = type.includes("-text");
  // Each piece has its own padding.
  const pieces = isText ? (received.toString().match(/[^=]+={0,2}/g) ?? []) : [];
  reader.push(isText ? Buffer.concat(pieces.map((piece) => Buffer.from(piece, "base64"))) : received);
  const messages: Uint8Array[] = [];
  let trailers = "";
  for (let each = reader.take(); each !== undefined; each = reader.take()) {
    if (each.flags === 0x80) trailers = Buffer.from(each.bytes).toString();
    else messages.push(each.bytes);
  }
  return { status, type: headers.get("content-type"), messages, trailers, headers };
}

const request = (given: object): Uint8Array =>
  envelope(0, toBinary(SimpleRequestSchema, create(SimpleRequestSchema, given)));

test.each(["application/grpc-web", "application/grpc-web+proto", "application/grpc-web-text"])(
  "a browser calls it by %s, and finds the trailers in the content",
  async (type) => {
    const bytes = request({ responseSize: 70_000, payload: { body: new Uint8Array(50_000) } });
    const content = type.includes("-text") ? Buffer.from(bytes).toString("base64") : bytes;
    const answer = await call(type, content, { "x-asked": "asked" });
    expect([answer.status, answer.messages.length]).toEqual([200, 1]);
    expect(answer.type).toMatch(type.includes("-text") ? /^application\/grpc-web-text/ : /^application\/grpc-web(?!-)/);
    const { payload, username } = fromBinary(SimpleResponseSchema, answer.messages[0]!);
    expect([payload?.body.length, username]).toEqual([70_000, "50000"]);
    expect(answer.trailers).toContain("grpc-status: 0\r\n");
    expect(answer.trailers).toContain("x-trail-bin: Af8=\r\n");
    expect(answer.headers.get("x-head")).toBe("asked");
  },
);

test("an error has its code, in the trailers or in the head", async () => {
  const answer = await call("application/grpc-web", request({ responseStatus: { code: 5, message: "gone" } }));
  const status = /grpc-status: (\d+)/.exec(answer.trailers)?.[1] ?? answer.headers.get("grpc-status");
  expect([answer.status, status]).toEqual([200, "5"]);
});

test("content that is not base64 is refused", async () => {
  expect((await call("application/grpc-web-text", "AAAA*AAA")).status).toBe(400);
  expect((await call("application/grpc-web-text", "AAAAA")).status).toBe(400);
});

test("requests that are no gRPC-Web pass unchanged", async () => {
  const answer = await call("application/json", "{}");
  expect(answer.status).toBe(415);
});
