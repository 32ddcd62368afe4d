// Clients of RPC, 64 calls in flight: hrpc on both sides against what TypeScript has today, and our client of gRPC
// against that of grpc-js. Client and server have a core each.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { comparePairs } from "../comparison.ts";
import { loadCore, pinned } from "../machine.ts";
import type { callers } from "../rpc-callers.ts";
import { startServer, type Command, type ServerProcess } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Work } from "../work.ts";

type CallerName = keyof typeof callers;

interface Side {
  readonly server: () => Command;
  readonly caller: CallerName;
}

const ourServer = () => servers.hemi("rpc-server.conf", "rpc-pack.ts");
const grpcJs: Side = { server: () => servers.node("grpc-js.ts"), caller: "grpc-js" };

export const rpcClients: readonly Work[] = [
  clientsWork(
    "hrpc unary, 100-byte messages, both sides",
    "tRPC over WebSocket, both sides",
    { server: ourServer, caller: "hrpc-json" },
    { server: () => servers.node("trpc.ts"), caller: "trpc" },
    "4",
    "8",
  ),
  clientsWork(
    "hrpc unary, 100-byte messages, both sides",
    "@grpc/grpc-js, both sides",
    { server: ourServer, caller: "hrpc" },
    grpcJs,
    "4",
    "8",
  ),
  clientsWork(
    "gRPC client, unary, 100-byte messages, at our server",
    "the client of @grpc/grpc-js",
    { server: ourServer, caller: "grpc" },
    { server: ourServer, caller: "grpc-js" },
    "2",
    "4",
  ),
];

function clientsWork(name: string, against: string, ours: Side, theirs: Side, atLeast: string, aim: string): Work {
  return {
    name,
    needs: [],
    async run({ seconds, pairs }) {
      await using ourProcess = await startServer(ours.server());
      await using theirProcess = await startServer(theirs.server());
      const compared = await comparePairs(
        () => callsPerSecond(ours.caller, ourProcess, seconds),
        () => callsPerSecond(theirs.caller, theirProcess, seconds),
        pairs,
      );
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
  };
}

const load = fileURLToPath(new URL("../rpc-load.ts", import.meta.url));
const inFlight = 64;

async function callsPerSecond(caller: CallerName, { port }: ServerProcess, seconds: number): Promise<number> {
  const args = ["--conditions=@hemi/source", load, caller, ...[port, seconds, inFlight].map(String)];
  const [program, ...rest] = pinned(loadCore, [process.execPath, ...args]);
  const { stdout } = await promisify(execFile)(program, rest, { env: { ...process.env, PORT: undefined } });
  return Number(stdout);
}
