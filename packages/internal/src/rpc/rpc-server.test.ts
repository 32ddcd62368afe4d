import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { ConnectError, createClient, Code } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { pack } from "../component/pack.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { TestService } from "../testing/rpc/interop_pb.ts";
import { serveRpcServer, type RpcServerSite } from "../testing/rpc/rpc-server-site.ts";
import { testService } from "../testing/rpc/test-service.ts";
import { Health, HealthCheckResponse_ServingStatus as Status } from "./builtin/health_pb.ts";
import { ServerReflection as ReflectionV1, type ServerReflectionResponse } from "./builtin/reflection-v1_pb.ts";
import { ServerReflection as ReflectionV1Alpha } from "./builtin/reflection-v1alpha_pb.ts";
import { defineService } from "./kinds.ts";

const service = defineService({ sign: "testService", create: () => ({ bundlets: [testService()] }) });

const serve = (props = "", more = ""): Promise<RpcServerSite> => serveRpcServer({ props, more });

const grpc = (baseUrl: string) => createGrpcTransport({ baseUrl });

test("serves services on an address of their own, by HTTP/1 and HTTP/2", async () => {
  await using site = await serve();
  const http1 = createConnectTransport({ baseUrl: site.url, httpVersion: "1.1" });
  expect((await createClient(TestService, http1).unaryCall({ responseSize: 3 })).payload?.body.length).toBe(3);
  expect((await createClient(TestService, grpc(site.url)).unaryCall({ responseSize: 3 })).payload?.body.length).toBe(3);
  expect((await fetch(`${site.url}/index.html`)).status).toBe(404);
});

test("follows a reload", async () => {
  await using site = await serve(".maxTime = 60s");
  const client = createClient(TestService, grpc(site.url));
  await client.emptyCall({});
  await site.stage.reload({ text: site.textWith(".maxTime = 40ms") });
  await expect(client.unaryCall({ behavior: "deaf" })).rejects.toMatchObject({ code: Code.DeadlineExceeded });
});

test("two services with the same bundlet are a configuration error", async () => {
  const two = bootWith([pack("test", [service])]).bootText(
    `stage { testService "a" {} testService "b" {} rpcServer "rpc" { .services = ("a", "b") .address = "127.0.0.1:0" } }`,
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await expect(two.then((stage) => stage.start())).rejects.toThrow(
    /"a" and "b" both have.* hemi\.test\.v1\.TestService/,
  );
});

test("tells its health: of the whole, of each bundlet, and when it drains", async () => {
  const site = await serve();
  const client = createClient(Health, grpc(site.url));
  expect((await client.check({})).status).toBe(Status.SERVING);
  expect((await client.check({ service: "hemi.test.v1.TestService" })).status).toBe(Status.SERVING);
  await expect(client.check({ service: "other" })).rejects.toMatchObject({ code: Code.NotFound });
  const watched: Status[] = [];
  const unknown: Status[] = [];
  const watching = (async () => {
    for await (const { status } of client.watch({ service: "hemi.test.v1.TestService" })) {
      watched.push(status);
      if (status === Status.SERVING) void site.stage.quit(2000);
    }
  })();
  const other = (async () => {
    for await (const { status } of client.watch({ service: "other" })) unknown.push(status);
  })();
  await Promise.all([watching, other]);
  expect(watched).toEqual([Status.SERVING, Status.NOT_SERVING]);
  expect(unknown).toEqual([Status.SERVICE_UNKNOWN]);
  await site[Symbol.asyncDispose]();
});

test("ends streams when it drains, so that clients find another server", async () => {
  const site = await serve();
  const stream = createClient(TestService, grpc(site.url)).streamingOutputCall({
    responseParameters: [{ size: 1 }],
    behavior: "hang",
  });
  const error = await (async () => {
    for await (const _message of stream) void site.stage.quit(400);
  })().catch((error: unknown) => ConnectError.from(error));
  expect(error).toMatchObject({ code: Code.Unavailable });
  await site[Symbol.asyncDispose]();
});

test.each([
  ["v1", ReflectionV1],
  ["v1alpha", ReflectionV1Alpha],
])("reflection %s gives the descriptors of its services, if it may", async (_version, Reflection) => {
  await using site = await serve(".reflection = true");
  const client = createClient(Reflection as typeof ReflectionV1, grpc(site.url));
  async function* questions() {
    yield { messageRequest: { case: "listServices" as const, value: "" } };
    yield { messageRequest: { case: "fileContainingSymbol" as const, value: "hemi.test.v1.TestService.UnaryCall" } };
    yield { messageRequest: { case: "fileContainingSymbol" as const, value: "no.such.Thing" } };
    yield { messageRequest: { case: "fileByFilename" as const, value: "interop.proto" } };
    yield { messageRequest: { case: undefined } };
  }
  const answers: ServerReflectionResponse["messageResponse"][] = [];
  for await (const { messageResponse } of client.serverReflectionInfo(questions())) answers.push(messageResponse);
  expect(answers.map((answer) => answer.case)).toEqual([
    "listServicesResponse",
    "fileDescriptorResponse",
    "errorResponse",
    "fileDescriptorResponse",
    "errorResponse",
  ]);
  expect(answers[0]!.value).toMatchObject({
    service: [
      { name: "grpc.health.v1.Health" },
      { name: "grpc.reflection.v1.ServerReflection" },
      { name: "grpc.reflection.v1alpha.ServerReflection" },
      { name: "hemi.test.v1.TestService" },
    ],
  });
  const { fileDescriptorProto } = answers[1]!.value as { fileDescriptorProto: Uint8Array[] };
  const file = fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file }));
  expect(registry.getService("hemi.test.v1.TestService")?.methods).toHaveLength(6);
  expect(toBinary(FileDescriptorProtoSchema, file[0]!).length).toBeGreaterThan(100);
  await using closed = await serve();
  const refused = createClient(ReflectionV1, grpc(closed.url)).serverReflectionInfo(questions());
  await expect(refused[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: Code.Unimplemented });
});
