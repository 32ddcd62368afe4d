// The clients whose calls are measured: ours and those of the peers, each over one connection.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import { bootText, grpcTransport, hrpcTransport, MemorySink, openErrorLog, webBackend } from "@hemi/hemi";
import { client } from "@hemi/rpc-client";
import { protoBundlet } from "@hemi/rpc-client/proto";
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import { Bench, MessageSchema } from "./servers/bench_pb.ts";
import { texts } from "./servers/texts.ts";
import type { BenchRouter } from "./servers/trpc.ts";
import { webSockets } from "./servers/web-sockets.ts";

/** Makes one call, and settles with its answer. */
export type Caller = () => Promise<unknown>;

const body = new Uint8Array(100);
const text = "x".repeat(100);

/** By name: what connects to a server on a port. */
export const callers = { hrpc: hrpc, "hrpc-json": hrpcJson, grpc: grpc, "grpc-js": grpcJs, trpc: trpc };

/** hrpc with protobuf. */
async function hrpc(port: number): Promise<Caller> {
  const bench = client(protoBundlet(Bench), { to: hrpcTransport(`hrpc://127.0.0.1:${port}`) });
  return () => bench.echo({ body });
}

/** hrpc with JSON. */
async function hrpcJson(port: number): Promise<Caller> {
  const bench = client(texts, { to: hrpcTransport(`hrpc://127.0.0.1:${port}`) });
  return () => bench.echo({ body: text });
}

/** Our client of gRPC. */
async function grpc(port: number): Promise<Caller> {
  const stage = await bootText(
    `stage { http2Backend "bench" { .nodes = (["address": "127.0.0.1:${port}"]) .http2MaxConns = 1 } }`,
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  const [backend] = stage.offering(webBackend);
  if (backend === undefined) throw new Error("there is no backend");
  const bench = client(protoBundlet(Bench), { to: grpcTransport(() => backend.part) });
  return () => bench.echo({ body });
}

/** The client of grpc-js. */
async function grpcJs(port: number): Promise<Caller> {
  const peer = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const { name } = Bench.method.echo;
  return () =>
    new Promise((resolve, reject) => {
      peer.makeUnaryRequest(
        `/${Bench.typeName}/${name}`,
        (given: Uint8Array) => Buffer.from(toBinary(MessageSchema, create(MessageSchema, { body: given }))),
        (bytes) => fromBinary(MessageSchema, bytes),
        body,
        // As our clients have one.
        { deadline: Date.now() + 30_000 },
        (error, message) => {
          if (error === null) resolve(message);
          else reject(error);
        },
      );
    });
}

/** tRPC over a WebSocket. */
async function trpc(port: number): Promise<Caller> {
  const link = createWSClient({ url: `ws://127.0.0.1:${port}`, WebSocket: webSockets.WebSocket });
  const peer = createTRPCClient<BenchRouter>({ links: [wsLink({ client: link })] });
  return () => peer.echo.mutate({ body: text });
}
