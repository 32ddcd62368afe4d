// The cases of gRPC's interoperability tests, by grpc-js
// (https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md).

import { once } from "node:events";
import { Metadata, status as grpcStatus, type ServiceError, type StatusObject } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { GrpcClient } from "../testing/rpc/grpc-client.ts";
import { serveRpc } from "../testing/rpc/rpc-site.ts";
import { testService } from "../testing/rpc/test-service.ts";

async function codeOf(promise: Promise<unknown>): Promise<number> {
  return await promise.then(
    () => grpcStatus.OK,
    (error: unknown) => (error as ServiceError).code,
  );
}

/** Beside the status, grpc-js emits an error. */
function statusOf(stream: ReturnType<GrpcClient["duplex"]>): Promise<StatusObject> {
  stream.on("error", () => {});
  return new Promise((resolve) => stream.on("status", resolve));
}

test("empty_unary, large_unary", async () => {
  await using site = await serveRpc();
  await using client = new GrpcClient(site.port);
  expect((await client.unary("emptyCall", {})).status.code).toBe(grpcStatus.OK);
  const { message } = await client.unary("unaryCall", {
    responseSize: 314_159,
    payload: { body: new Uint8Array(271_828) },
  });
  expect(message.payload?.body.length).toBe(314_159);
  expect(message.username).toBe("271828");
});

test("client_streaming", async () => {
  await using site = await serveRpc();
  await using client = new GrpcClient(site.port);
  const size = await new Promise<number | undefined>((resolve, reject) => {
    const stream = client.clientStream((error, response) => {
      if (error === null) resolve(response?.aggregatedPayloadSize);
      else reject(error);
    });
    for (const size of [27_182, 8, 1828, 45_904]) stream.write({ payload: { body: new Uint8Array(size) } });
    stream.end();
  });
  expect(size).toBe(74_922);
});

test("server_streaming", async () => {
  await using site = await serveRpc();
  await using client = new GrpcClient(site.port);
  const sizes: number[] = [];
  const stream = client.serverStream({ responseParameters: [31_415, 9, 2653, 58_979].map((size) => ({ size })) });
  for await (const { payload } of stream as AsyncIterable<{ payload: { body: Uint8Array } }>)
    sizes.push(payload.body.length);
  expect(sizes).toEqual([31_415, 9, 2653, 58_979]);
});

test("ping_pong, empty_stream", async () => {
  await using site = await serveRpc();
  await using client = new GrpcClient(site.port);
  const stream = client.duplex();
  const sizes: number[] = [];
  for (const [input, output] of [
    [27_182, 31_415],
    [8, 9],
    [1828, 2653],
  ] as const) {
    stream.write({ payload: { body: new Uint8Array(input) }, responseParameters: [{ size: output }] });
    const [message] = (await once(stream, "data")) as [{ payload: { body: Uint8Array } }];
    sizes.push(message.payload.body.length);
  }
  stream.end();
  await once(stream, "end");
  expect(sizes).toEqual([31_415, 9, 2653]);
  const empty = client.duplex();
  empty.end();
  empty.resume();
  const [status] = (await once(empty, "status")) as [{ code: number }];
  expect(status.code).toBe(grpcStatus.OK);
});

test("custom_metadata", async () => {
  await using site = await serveRpc();
  await using client = new GrpcClient(site.port);
  const metadata = new Metadata();
  metadata.set("x-grpc-test-echo-initial", "test_initial_metadata_value");
  metadata.set("x-grpc-test-echo-trailing-bin", Buffer.from([0xab, 0xab, 0xab]));
  const { initial, status } = await client.unary("unaryCall", { responseSize: 1 }, { metadata });
  expect(initial.get("x-grpc-test-echo-initial")).toEqual(["test_initial_metadata_value"]);
  expect(status.metadata.get("x-grpc-test-echo-trailing-bin")).toEqual([Buffer.from([0xab, 0xab, 0xab])]);
  const stream = client.duplex(metadata);
  const initialOfStream = once(stream, "metadata");
  const statusOfStream = once(stream, "status");
  stream.write({ responseParameters: [{ size: 1 }] });
  stream.end();
  stream.resume();
  expect(((await initialOfStream) as [Metadata])[0].get("x-grpc-test-echo-initial")).toHaveLength(1);
  const [{ metadata: trailers }] = (await statusOfStream) as [{ metadata: Metadata }];
  expect(trailers.get("x-grpc-test-echo-trailing-bin")).toEqual([Buffer.from([0xab, 0xab, 0xab])]);
});

test("status_code_and_message, special_status_message", async () => {
  await using site = await serveRpc();
  await using client = new GrpcClient(site.port);
  for (const message of ["test status message", "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"]) {
    const unary = client.unary("unaryCall", { responseStatus: { code: 2, message } });
    await expect(unary).rejects.toMatchObject({ code: 2, details: message });
    const stream = client.duplex();
    stream.write({ responseStatus: { code: 2, message } });
    stream.end();
    stream.resume();
    expect(await statusOf(stream)).toMatchObject({ code: 2, details: message });
  }
});

test("unimplemented_method, unimplemented_service", async () => {
  await using site = await serveRpc();
  await using client = new GrpcClient(site.port);
  for (const path of ["/hemi.test.v1.TestService/UnimplementedCall", "/hemi.test.v1.Unimplemented/Call"]) {
    const call = new Promise((resolve, reject) => {
      const none = (bytes: Buffer): Buffer => bytes;
      client.client.makeUnaryRequest(path, none, none, Buffer.alloc(0), (error, value) =>
        error === null ? resolve(value) : reject(error),
      );
    });
    expect(await codeOf(call)).toBe(grpcStatus.UNIMPLEMENTED);
  }
});

test("cancel_after_begin, cancel_after_first_response", async () => {
  const seen = { events: [] as string[] };
  await using site = await serveRpc({ bundlets: [testService(seen)] });
  await using client = new GrpcClient(site.port);
  const canceled = new Promise((resolve, reject) => {
    client.clientStream((error, value) => (error === null ? resolve(value) : reject(error))).cancel();
  });
  expect(await codeOf(canceled)).toBe(grpcStatus.CANCELLED);
  const stream = client.duplex();
  stream.write({ responseParameters: [{ size: 31_415 }] });
  await once(stream, "data");
  const status = statusOf(stream);
  stream.cancel();
  expect((await status).code).toBe(grpcStatus.CANCELLED);
  await expect.poll(() => seen.events).toContain("duplex closed");
});

test("timeout_on_sleeping_server", async () => {
  const seen = { events: [] as string[] };
  await using site = await serveRpc({ bundlets: [testService(seen)] });
  await using client = new GrpcClient(site.port);
  const hanging = client.unary("unaryCall", { behavior: "hang" }, { deadline: Date.now() + 500 });
  expect(await codeOf(hanging)).toBe(grpcStatus.DEADLINE_EXCEEDED);
  await expect.poll(() => seen.events.join()).toMatch(/hangs,aborted: (?:deadline_exceeded|canceled)/);
});

test("client_compressed_unary and server_compressed_unary, with gzip", async () => {
  await using site = await serveRpc();
  await using client = new GrpcClient(site.port, { "grpc.default_compression_algorithm": 2 });
  const { message } = await client.unary("unaryCall", {
    responseSize: 314_159,
    payload: { body: new Uint8Array(271_828) },
  });
  expect(message.payload?.body.length).toBe(314_159);
});
