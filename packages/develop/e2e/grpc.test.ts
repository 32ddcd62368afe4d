// gRPC through httpProxy and http2Backend: a call of each of the four kinds, and how calls fail, by the client and the
// server of @grpc/grpc-js.

import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ServiceDefinition,
  type StatusObject,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { once } from "node:events";
import { afterAll, expect, test } from "vitest";
import { proxyBefore } from "./proxy-before.ts";

/** Messages are text: what they are encoded as is no matter of a proxy's. */
const asText = {
  requestSerialize: (text: string): Buffer => Buffer.from(text),
  requestDeserialize: (bytes: Buffer): string => bytes.toString(),
  responseSerialize: (text: string): Buffer => Buffer.from(text),
  responseDeserialize: (bytes: Buffer): string => bytes.toString(),
};
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  ...asText,
});
const service: ServiceDefinition = {
  unary: method("Unary", false, false),
  upload: method("Upload", true, false),
  download: method("Download", false, true),
  chat: method("Chat", true, true),
};

/** Who is told when a call is cancelled. */
let cancelled = Promise.withResolvers<void>();

const implementation: UntypedServiceImplementation = {
  unary(
    call: { request: string; metadata: Metadata },
    done: (error: object | null, text?: string, trailers?: Metadata) => void,
  ) {
    const trailers = new Metadata();
    trailers.set("x-sum", String(call.request.length));
    if (call.request === "fail") done({ code: status.NOT_FOUND, details: "no such ü thing", metadata: trailers });
    else done(null, `${call.request} by ${String(call.metadata.get("x-who")[0])}`, trailers);
  },
  async upload(call: AsyncIterable<string>, done: (error: null, text: string) => void) {
    let size = 0;
    for await (const text of call) size += text.length;
    done(null, String(size));
  },
  download(call: { request: string; write(text: string): void; end(): void }) {
    for (let i = 0; i < Number(call.request); i++) call.write(`message ${i}`);
    call.end();
  },
  chat(call: NodeJS.EventEmitter & { write(text: string): void; end(): void }) {
    call.on("data", (text: string) => call.write(text.toUpperCase()));
    call.on("end", () => call.end());
    call.on("cancelled", () => cancelled.resolve());
  },
};

const server = new Server();
server.addService(service, implementation);
const port = await new Promise<number>((resolve, reject) => {
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error === null) resolve(port);
    else reject(error);
  });
});
const proxy = await proxyBefore(port, "http2Backend");
const client = new Client(proxy.address, credentials.createInsecure());
afterAll(async () => {
  client.close();
  await proxy[Symbol.asyncDispose]();
  server.forceShutdown();
});

const { requestSerialize, responseDeserialize } = asText;

test("a unary call has its metadata both ways, its message, and its status in the trailers", async () => {
  const metadata = new Metadata();
  metadata.set("x-who", "me");
  const done = Promise.withResolvers<string | undefined>();
  const call = client.makeUnaryRequest(
    "/test.Echo/Unary",
    requestSerialize,
    responseDeserialize,
    "hi",
    metadata,
    (error, text) => {
      if (error === null) done.resolve(text);
      else done.reject(error);
    },
  );
  const [{ code, metadata: trailers }] = (await once(call, "status")) as [StatusObject];
  expect(await done.promise).toBe("hi by me");
  expect(code).toBe(status.OK);
  expect(trailers.get("x-sum")).toEqual(["2"]);
});

test("a call that fails does so with its own code, details and trailers", async () => {
  const failed = await new Promise<StatusObject | null>((resolve) => {
    client.makeUnaryRequest("/test.Echo/Unary", requestSerialize, responseDeserialize, "fail", (error) =>
      resolve(error),
    );
  });
  expect(failed).toMatchObject({ code: status.NOT_FOUND, details: "no such ü thing" });
  expect(failed?.metadata.get("x-sum")).toEqual(["4"]);
});

test("a client streams messages up, more than any window takes", async () => {
  const done = Promise.withResolvers<string | undefined>();
  const call = client.makeClientStreamRequest(
    "/test.Echo/Upload",
    requestSerialize,
    responseDeserialize,
    (error, text) => {
      if (error === null) done.resolve(text);
      else done.reject(error);
    },
  );
  for (let i = 0; i < 200; i++) if (!call.write("x".repeat(10_000))) await once(call, "drain");
  call.end();
  expect(await done.promise).toBe("2000000");
});

test("a server streams messages down, in their order", async () => {
  const call = client.makeServerStreamRequest("/test.Echo/Download", requestSerialize, responseDeserialize, "1000");
  const got: string[] = [];
  for await (const text of call) got.push(String(text));
  expect(got.length).toBe(1000);
  expect(got[999]).toBe("message 999");
});

test("both stream, and each message is answered before the next is sent", async () => {
  const call = client.makeBidiStreamRequest("/test.Echo/Chat", requestSerialize, responseDeserialize);
  for (const text of ["one", "two", "three"]) {
    call.write(text);
    expect(await once(call, "data")).toEqual([text.toUpperCase()]);
  }
  call.end();
  expect(await once(call, "status")).toMatchObject([{ code: status.OK }]);
});

test("a call that its client cancels is cancelled at the server", async () => {
  cancelled = Promise.withResolvers<void>();
  const call = client.makeBidiStreamRequest("/test.Echo/Chat", requestSerialize, responseDeserialize);
  call.on("error", () => {});
  call.write("hi");
  await once(call, "data");
  call.cancel();
  await cancelled.promise;
});

test("a deadline that passes ends the call on both sides", async () => {
  cancelled = Promise.withResolvers<void>();
  const call = client.makeBidiStreamRequest("/test.Echo/Chat", requestSerialize, responseDeserialize, {
    deadline: Date.now() + 300,
  });
  call.on("error", () => {});
  const ended = new Promise((resolve) => call.on("status", resolve));
  call.write("hi");
  await once(call, "data");
  expect(await ended).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  await cancelled.promise;
});
