// JSON over HTTP/1.1: Connect's unary calls, against connect-node by a procedure of protobuf, and against Fastify by
// one that is declared by schemas. The load is wrk's.

import { compare } from "../comparison.ts";
import { startServer, type Command } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Work } from "../work.ts";

interface JsonPeer {
  readonly against: string;
  readonly server: Command;
  readonly path: string;
  readonly content: string;
  readonly atLeast: string;
  readonly aim: string;
}

const bytes = Buffer.alloc(75).toString("base64");

const peers: readonly JsonPeer[] = [
  {
    against: "@connectrpc/connect-node, protobuf's JSON",
    server: servers.node("connect-node.ts", "http1"),
    path: "/hemi.bench.v1.Bench/Echo",
    content: JSON.stringify({ body: bytes }),
    atLeast: "3",
    aim: "5",
  },
  {
    against: "Fastify with schemas",
    server: servers.node("fastify-texts.ts"),
    path: "/hemi.bench.v1.Texts/echo",
    content: JSON.stringify({ body: "x".repeat(100) }),
    atLeast: "1.2",
    aim: "1.5",
  },
];

export const rpcJson: readonly Work[] = peers.map(({ against, server, path, content, atLeast, aim }) => ({
  name: "Connect JSON unary over HTTP/1.1, 100-byte messages",
  needs: ["wrk"],
  async run({ seconds, pairs }) {
    await using ours = await startServer(servers.hemi("rpc.conf", "rpc-pack.ts"));
    await using theirs = await startServer(server);
    const load = { path, theirPath: path, isVaried: false, content, seconds, pairs };
    const compared = await compare(ours, theirs, load);
    return [
      {
        against,
        ours: `${Math.round(compared.ours)} calls/s`,
        theirs: `${Math.round(compared.theirs)} calls/s`,
        figure: `${compared.ratio.toFixed(2)} (${compared.spread.map((bound) => bound.toFixed(2)).join("–")})`,
        atLeast,
        aim,
      },
    ];
  },
}));
