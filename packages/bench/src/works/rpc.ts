// gRPC, against the servers of @grpc/grpc-js, @connectrpc/connect-node and grpc-go. The load is h2load's.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { envelope } from "@hemi/rpc-client/wire";
import { comparePairs } from "../comparison.ts";
import { measureHttp2, type Http2Load } from "../load-http2.ts";
import { startServer, type Command, type ServerProcess } from "../server-process.ts";
import { MessageSchema } from "../servers/bench_pb.ts";
import * as servers from "../servers/commands.ts";
import { grpcGo, grpcGoNeeds } from "../servers/grpc-go.ts";
import type { Work } from "../work.ts";

interface RpcWork extends Pick<Http2Load, "connections" | "streams" | "requests"> {
  readonly name: string;
  readonly method: string;
  /** What one request sends. */
  readonly content: () => Uint8Array;
  /** Of what is counted, in one request. */
  readonly countEach: number;
  readonly unit: string;
  readonly peer: Peer;
  readonly atLeast: string;
  readonly aim: string;
}

type Peer = "@grpc/grpc-js" | "@connectrpc/connect-node" | "grpc-go" | "a bare handlet with trailers";

const ours = servers.hemi("rpc.conf", "rpc-pack.ts");

const peers: Readonly<Record<Peer, () => Command>> = {
  "@grpc/grpc-js": () => servers.node("grpc-js.ts"),
  "@connectrpc/connect-node": () => servers.node("connect-node.ts"),
  "grpc-go": grpcGo,
  "a bare handlet with trailers": () => ours,
};

const small = message(100);
const unary = {
  name: "gRPC unary, 100-byte messages",
  method: "Echo",
  content: () => small,
  connections: 16,
  streams: 32,
  requests: 60_000,
  countEach: 1,
  unit: "calls",
};
const upload = 100 * 1024 * 1024;
const uploadPiece = 64 * 1024;

export const rpc: readonly Work[] = [
  rpcWork({ ...unary, peer: "@grpc/grpc-js", atLeast: "4", aim: "6" }),
  rpcWork({ ...unary, peer: "@connectrpc/connect-node", atLeast: "4", aim: "6" }),
  rpcWork({ ...unary, peer: "grpc-go", atLeast: "0.5", aim: "1.0" }),
  rpcWork({ ...unary, peer: "a bare handlet with trailers", atLeast: "0.6", aim: "0.9" }),
  rpcWork({
    name: "gRPC server stream, 100-byte messages",
    method: "Repeat",
    content: () => message(100, 1000),
    connections: 4,
    streams: 4,
    requests: 400,
    countEach: 1000,
    unit: "messages",
    peer: "@grpc/grpc-js",
    atLeast: "4",
    aim: "8",
  }),
  rpcWork({
    name: "gRPC upload of 100 MiB, 64-KiB messages",
    method: "Upload",
    content: () => Buffer.alloc(upload, message(uploadPiece - 9)),
    connections: 1,
    streams: 1,
    requests: 4,
    countEach: 100,
    unit: "MiB",
    peer: "@grpc/grpc-js",
    atLeast: "2",
    aim: "4",
  }),
];

function rpcWork({ name, method, content, countEach, unit, peer, atLeast, aim, ...load }: RpcWork): Work {
  return {
    name,
    needs: ["h2load", ...(peer === "grpc-go" ? grpcGoNeeds : [])],
    async run({ pairs }) {
      const file = join(mkdtempSync(join(tmpdir(), "hemi-bench-rpc-")), "request");
      writeFileSync(file, content());
      const isBare = peer === "a bare handlet with trailers";
      await using ourServer = await startServer(ours);
      await using theirServer = await startServer(peers[peer]());
      const measure = async ({ port }: ServerProcess, path: string): Promise<number> => {
        const headers = ["content-type: application/grpc", "te: trailers"];
        const url = `http://127.0.0.1:${port}${path}`;
        return countEach * (await measureHttp2({ ...load, url, headers, content: file, windowBits: 20 }));
      };
      const path = `/hemi.bench.v1.Bench/${method}`;
      const [our, their] = [() => measure(ourServer, path), () => measure(theirServer, isBare ? "/bare" : path)];
      // Warmed up.
      await our();
      await their();
      const compared = await comparePairs(our, their, pairs);
      const rate = (each: number): string => `${Math.round(each)} ${unit}/s`;
      const spread = compared.spread.map((bound) => bound.toFixed(2)).join("–");
      return [
        {
          against: peer,
          ours: rate(compared.ours),
          theirs: rate(compared.theirs),
          figure: `${compared.ratio.toFixed(2)} (${spread})`,
          atLeast,
          aim,
        },
      ];
    },
  };
}

/** A whole message in its envelope. */
function message(size: number, count = 0): Uint8Array {
  return envelope(0, toBinary(MessageSchema, create(MessageSchema, { body: new Uint8Array(size), count })));
}
