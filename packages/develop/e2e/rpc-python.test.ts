// gRPC by python3-grpcio, in both directions: its client at our server, and our client at its server. The cases are
// those of gRPC's interoperability tests
// (https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md).

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { create, toBinary, type DescFile, type DescService } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { bootText, grpcTransport, MemorySink, openErrorLog, webBackend, type Stage } from "@hemi/hemi";
import { serveRpc, testBundlet } from "@hemi/internal/testing";
import { client, Metadata, type Client } from "@hemi/rpc-client";
import { expect, test, type TestContext } from "vitest";
import { peer } from "../src/peers.ts";

const folder = fileURLToPath(new URL("rpc-python/", import.meta.url));

/** A file with the descriptors of the test service. */
async function descriptors(): Promise<string> {
  const { file } = testBundlet.descriptor as DescService & { readonly file: DescFile };
  const path = join(await mkdtemp(join(tmpdir(), "hemi-rpc-python-")), "interop.binpb");
  await writeFile(path, toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [file.proto] })));
  return path;
}

test("the cases of gRPC's interoperability tests pass for a client of grpcio", async (context) => {
  const python = peer("python3", context);
  await using site = await serveRpc();
  const args = [`${folder}interop_client.py`, await descriptors(), `127.0.0.1:${site.port}`];
  const { stdout } = await promisify(execFile)(python, args);
  expect(stdout.trim().split("\n")).toHaveLength(12);
});

interface PythonServer extends AsyncDisposable {
  readonly interop: Client<typeof testBundlet.procedures>;
}

/** A server of grpcio, and our client over an http2Backend. */
async function pythonServer(context: TestContext): Promise<PythonServer> {
  const python = peer("python3", context);
  const child = spawn(python, [`${folder}interop_server.py`, await descriptors()], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const stage: Stage = await bootText(
    `stage { http2Backend "python" { .nodes = (["address": "127.0.0.1:${Number(line.toString())}"]) } }`,
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  const backend = stage.offering(webBackend)[0]!.part;
  return {
    interop: client(testBundlet, { to: grpcTransport(() => backend), retries: 0 }),
    async [Symbol.asyncDispose]() {
      await stage.quit(500);
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

test("our client calls all kinds of procedures of a server of grpcio", async (context) => {
  await using server = await pythonServer(context);
  const { interop } = server;
  expect(await interop.emptyCall({})).toBeDefined();
  const large = await interop.unaryCall({ responseSize: 314_159, payload: { body: new Uint8Array(271_828) } });
  expect([large.payload?.body.length, large.username]).toEqual([314_159, "271828"]);
  const inputs = [27_182, 8, 1828, 45_904].map((size) => ({ payload: { body: new Uint8Array(size) } }));
  expect((await interop.streamingInputCall(inputs)).aggregatedPayloadSize).toBe(74_922);
  const sizes = [31_415, 9, 2653, 58_979];
  const outputs: number[] = [];
  for await (const { payload } of interop.streamingOutputCall({
    responseParameters: sizes.map((size) => ({ size })),
  })) {
    outputs.push(payload?.body.length ?? 0);
  }
  expect(outputs).toEqual(sizes);
  const echoed: number[] = [];
  for await (const { payload } of interop.fullDuplexCall(sizes.map((size) => ({ responseParameters: [{ size }] })))) {
    echoed.push(payload?.body.length ?? 0);
  }
  expect(echoed).toEqual(sizes);
});

test("our client gets codes, messages and metadata of a server of grpcio, and gives up at its deadline", async (context) => {
  await using server = await pythonServer(context);
  const { interop } = server;
  const got: unknown[] = [];
  const metadata = new Metadata({
    "x-grpc-test-echo-initial": "initial",
    "x-grpc-test-echo-trailing-bin": new Uint8Array([0xab, 0xab, 0xab]),
  });
  await interop.unaryCall(
    { responseSize: 1 },
    {
      metadata,
      onHeaders: (headers) => got.push(headers.get("x-grpc-test-echo-initial")),
      onTrailers: (trailers) => got.push(...trailers.getBinary("x-grpc-test-echo-trailing-bin")),
    },
  );
  expect(got).toEqual(["initial", new Uint8Array([0xab, 0xab, 0xab])]);
  const failing = interop.unaryCall({ responseStatus: { code: 2, message: "\t\ntest ☺ 😈\t\n" } });
  await expect(failing).rejects.toMatchObject({ code: "unknown", message: "\t\ntest ☺ 😈\t\n" });
  const hanging = interop.unaryCall({ behavior: "hang" }, { timeout: 100 });
  await expect(hanging).rejects.toMatchObject({ code: "deadline_exceeded" });
  const stream = interop.fullDuplexCall([{ responseParameters: [{ size: 1 }] }]);
  for await (const _message of stream) break;
  await expect(interop.cacheableUnaryCall({})).rejects.toMatchObject({ code: "unimplemented" });
});
