// Foreign gRPC servers, called by all protocols that ours are called by.

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { Metadata, status as grpcStatus, type ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { descriptorFile, serveBridged, unusedPort } from "../../testing/rpc/bridged-site.ts";
import { GrpcClient } from "../../testing/rpc/grpc-client.ts";
import { serveByGrpcJs, type GrpcJsServer } from "../../testing/rpc/grpc-js-server.ts";
import { file_interop } from "../../testing/rpc/interop_pb.ts";
import { libraryService } from "../../testing/rpc/library-service.ts";
import { file_library } from "../../testing/rpc/library_pb.ts";
import { serveRpcServer } from "../../testing/rpc/rpc-server-site.ts";
import type { RpcSite } from "../../testing/rpc/rpc-site.ts";

describe("by a file of descriptors", () => {
  let server: GrpcJsServer;
  let site: RpcSite;
  beforeAll(async () => {
    server = await serveByGrpcJs();
    site = await serveBridged(server.port, `.descriptors = "${await descriptorFile(file_interop, file_library)}"`);
  });
  afterAll(async () => {
    await site[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  test("JSON calls it by the paths of its annotations, and by name", async () => {
    const byPath = await fetch(`${site.url}/v1/shelves/a/books/b?filter.tags=x`);
    expect(await byPath.json()).toEqual({ procedure: "grpc-js", json: "shelves/a/books/b x" });
    const byName = await fetch(`${site.url}/hemi.library.v1.Library/GetBook`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"name":"n"}',
    });
    expect(await byName.json()).toEqual({ procedure: "grpc-js", json: "n " });
    const stream = await fetch(`${site.url}/v1/books:watch?count=2`);
    expect(await stream.json()).toEqual([{ procedure: "message 0" }, { procedure: "message 1" }]);
    const missing = await fetch(`${site.url}/v1/titles`);
    expect([missing.status, ((await missing.json()) as { code: string }).code]).toEqual([501, "unimplemented"]);
  });

  test("calls of all kinds pass, with their metadata in both directions", async () => {
    await using client = new GrpcClient(site.port);
    const metadata = new Metadata();
    metadata.set("x-asked", "asked");
    const unary = await client.unary(
      "unaryCall",
      { responseSize: 100_000, payload: { body: new Uint8Array(50_000) } },
      { metadata },
    );
    expect([unary.message.payload?.body.length, unary.message.username]).toEqual([100_000, "50000"]);
    expect(unary.initial.get("x-head")).toEqual(["asked"]);
    expect(unary.status.metadata.get("x-trail-bin")).toEqual([Buffer.from([1, 255])]);
    const sizes: number[] = [];
    const responseParameters = [10, 70_000, 0].map((size) => ({ size }));
    for await (const { payload } of client.serverStream({ responseParameters }) as AsyncIterable<{
      payload: { body: Uint8Array };
    }>)
      sizes.push(payload.body.length);
    expect(sizes).toEqual([10, 70_000, 0]);
    const sum = await new Promise((resolve) => {
      const stream = client.clientStream((_error, response) => resolve(response?.aggregatedPayloadSize));
      for (const size of [3, 90_000]) stream.write({ payload: { body: new Uint8Array(size) } });
      stream.end();
    });
    expect(sum).toBe(90_003);
    const duplex = client.duplex();
    for (const size of [7, 8]) {
      duplex.write({ responseParameters: [{ size }] });
      const [message] = (await once(duplex, "data")) as [{ payload: { body: Uint8Array } }];
      expect(message.payload.body.length).toBe(size);
    }
    duplex.end();
    duplex.resume();
    await once(duplex, "end");
  });

  test("errors pass with code, message and trailers", async () => {
    await using client = new GrpcClient(site.port);
    const responseStatus = { code: grpcStatus.FAILED_PRECONDITION, message: "ümlaut" };
    const error = await client.unary("unaryCall", { responseStatus }).then(
      () => undefined,
      (error: unknown) => error as ServiceError,
    );
    expect([error?.code, error?.details]).toEqual([grpcStatus.FAILED_PRECONDITION, "ümlaut"]);
    expect(error?.metadata.get("x-trail-bin")).toEqual([Buffer.from([1, 255])]);
  });

  test("a deadline, and a client that leaves, end the call at the server", async () => {
    await using client = new GrpcClient(site.port);
    const cancels = () => server.events.filter((event) => event === "cancelled").length;
    const before = cancels();
    const late = client.unary("unaryCall", { behavior: "hang" }, { deadline: Date.now() + 2000 });
    await expect(late).rejects.toMatchObject({ code: grpcStatus.DEADLINE_EXCEEDED });
    expect(server.events).toContain("hangs");
    await expect.poll(cancels).toBe(before + 1);
    const stream = client.serverStream({ responseParameters: [{ size: 1 }], behavior: "forever" });
    stream.on("error", () => {});
    await once(stream, "data");
    stream.cancel();
    await expect.poll(cancels).toBe(before + 2);
  });
});

test("a server that cannot be reached is unavailable, and its address stays in the log", async () => {
  const site = await serveBridged(await unusedPort(), `.descriptors = "${await descriptorFile(file_library)}"`);
  await using _site = site;
  const response = await fetch(`${site.url}/v1/shelves/a/books/b`);
  expect([response.status, await response.json()]).toEqual([503, { code: "unavailable" }]);
  expect(site.log.join("\n")).toMatch(/Library\/GetBook: .*127\.0\.0\.1/);
});

test("services come and go with what the servers tell by reflection", async () => {
  const port = await unusedPort();
  await using site = await serveBridged(port, '.reflectionInterval = 1s .only = ("hemi.library.v1.Library")');
  const ask = async (): Promise<unknown> => {
    const response = await fetch(`${site.url}/v1/files/a/b`);
    return response.status === 200 ? response.json() : response.status;
  };
  expect(await ask()).toBe(404);
  expect(site.log.join("\n")).toContain("the servers do not answer to reflection");
  await using _server = await serveRpcServer({
    bundlets: [libraryService()],
    address: `127.0.0.1:${port}`,
    props: ".reflection = true",
  });
  await expect.poll(ask).toEqual({ procedure: "ReadFile", json: '{"path":"a/b"}' });
});

describe("hemi check", () => {
  const check = (service: string): Promise<unknown> =>
    bootWith([])
      .bootText(`stage { http2Backend "b" { .nodes = (["address": "127.0.0.1:1"]) } grpcService "s" { ${service} } }`)
      .then((stage) => stage.start());

  test("finds a file that has no descriptors, and a service that is not in it", async () => {
    const file = await descriptorFile(file_library);
    const other = check(`.toBackend = "b" .descriptors = "${file}" .only = ("hemi.library.v1.Libary")`);
    await expect(other).rejects.toThrow(/no service hemi\.library\.v1\.Libary, but hemi\.library\.v1\.Library/);
    await writeFile(file, "no descriptors");
    await expect(check(`.toBackend = "b" .descriptors = "${file}"`)).rejects.toThrow(/protoc --include_imports/);
    await expect(check('.toBackend = "b" .descriptors = "/no/such/file"')).rejects.toThrow(/no such file/);
  });
});
