// Messages of WebSockets to and fro through a proxy.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { comparePairs } from "../comparison.ts";
import { loadCore, pinned } from "../machine.ts";
import { startBackend } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Work } from "../work.ts";
import { startProxy } from "./proxying.ts";

const connections = 64;

export const websockets: Work = {
  name: "proxy of WebSockets, 32-byte messages",
  needs: ["nginx"],
  async run({ seconds, pairs }) {
    await using backend = await startBackend(servers.node("websocket-echo.ts"));
    await using ours = await startProxy(servers.hemi("websocket-proxy.conf"), backend);
    await using theirs = await startProxy(servers.nginxWebSocket(backend.port), backend);
    for (const { port } of [ours, theirs]) await answersPerSecond(port, 2);
    const compared = await comparePairs(
      () => answersPerSecond(ours.port, seconds),
      () => answersPerSecond(theirs.port, seconds),
      pairs,
    );
    return [
      {
        against: "nginx, proxy_pass",
        ours: `${Math.round(compared.ours)}/s`,
        theirs: `${Math.round(compared.theirs)}/s`,
        figure: `${compared.ratio.toFixed(2)} (${compared.spread.map((bound) => bound.toFixed(2)).join("–")})`,
        atLeast: "0.50",
        aim: "0.75",
      },
    ];
  },
};

const load = fileURLToPath(new URL("../websocket-load.ts", import.meta.url));

async function answersPerSecond(port: number, seconds: number): Promise<number> {
  const args = [load, port, connections, seconds].map(String);
  const [program, ...rest] = pinned(loadCore, [process.execPath, ...args]);
  const { stdout } = await promisify(execFile)(program, rest);
  return Number(stdout);
}
