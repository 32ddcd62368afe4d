// Memory that idle streams of gRPC take: calls that have begun, whose client says nothing more.

import { once } from "node:events";
import { connect, constants, type ClientHttp2Session } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { envelope } from "@hemi/rpc-client/wire";
import { memoryAtRest } from "../memory-at-rest.ts";
import { MessageSchema } from "../servers/bench_pb.ts";
import { startServer, type Command, type ServerProcess } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Work } from "../work.ts";

const conns = 100;
const streamsOfEach = 100;
const count = conns * streamsOfEach;

export const rpcMemory: Work = {
  name: `memory for each of ${count} idle gRPC streams`,
  needs: [],
  async run() {
    const ours = await memoryOfEach(servers.hemi("rpc-server.conf", "rpc-pack.ts"));
    const theirs = await memoryOfEach(servers.node("grpc-js.ts"));
    const size = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
    return [
      {
        against: "@grpc/grpc-js",
        ours: size(ours),
        theirs: size(theirs),
        figure: `${(ours / theirs).toFixed(2)} of it`,
        atLeast: "0.50 of it",
        aim: "0.25 of it",
      },
    ];
  },
};

/** In bytes, with the share of each stream in its connection. */
async function memoryOfEach(command: Command): Promise<number> {
  await using server = await startServer(command);
  // Warmed up, so that what the first calls cost once is not counted.
  const first = await open(server, 5);
  const before = await memoryAtRest(server);
  const sessions = await open(server, conns);
  const each = ((await memoryAtRest(server)) - before) / count;
  for (const session of [...first, ...sessions]) session.destroy();
  return each;
}

async function open({ port }: ServerProcess, conns: number): Promise<readonly ClientHttp2Session[]> {
  const sessions: ClientHttp2Session[] = [];
  for (let i = 0; i < conns; i++) {
    const session = connect(`http://127.0.0.1:${port}`);
    await once(session, "remoteSettings");
    for (let each = 0; each < streamsOfEach; each++) begin(session, "Upload").write(message);
    await answered(session);
    sessions.push(session);
  }
  return sessions;
}

const message = envelope(0, toBinary(MessageSchema, create(MessageSchema, { body: new Uint8Array(100) })));

function begin(session: ClientHttp2Session, method: string) {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: "POST",
    [constants.HTTP2_HEADER_PATH]: `/hemi.bench.v1.Bench/${method}`,
    "content-type": "application/grpc",
    te: "trailers",
  });
  // They end with their session.
  stream.on("error", () => {});
  return stream;
}

/** A call that comes behind the others is answered: the server has them all. */
async function answered(session: ClientHttp2Session): Promise<void> {
  const stream = begin(session, "Echo");
  stream.end(message);
  stream.resume();
  await once(stream, "end");
}
