// Answers a second through a proxy, and how fast a large one comes through.

import { chmodSync, mkdtempSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compare, median } from "../comparison.ts";
import { download } from "../download.ts";
import { startBackend, startServer, type Command, type ServerProcess } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Result, Work } from "../work.ts";

/** Where the large answer is, of 100 MiB. */
export const largePath = "/files/large";
const largeSize = 100 * 1024 * 1024;

const peers: readonly { name: string; command: (backendPort: number) => Command; atLeast: string; aim: string }[] = [
  { name: "nginx, proxy_pass with keepalive", command: servers.nginxProxy, atLeast: "0.50", aim: "0.75" },
  { name: "undici behind node:http", command: () => servers.node("undici-proxy.ts"), atLeast: "2.3", aim: "3.0" },
  { name: "http-proxy with an agent", command: () => servers.node("http-proxy.ts"), atLeast: "5", aim: "8" },
];

export const proxying: readonly Work[] = [
  {
    name: "proxy of a 13-byte answer",
    needs: ["wrk", "nginx"],
    async run(settings) {
      await using backend = await startBackend(servers.nginx);
      await using ours = await startProxy(servers.hemi("proxy.conf"), backend);
      const results: Result[] = [];
      for (const { name, command, atLeast, aim } of peers) {
        await using theirs = await startProxy(command(backend.port), backend);
        const same = { path: "/", theirPath: "/", isVaried: false };
        const { ours: our, theirs: their, ratio, spread } = await compare(ours, theirs, { ...settings, ...same });
        results.push({
          against: name,
          ours: `${Math.round(our)}/s`,
          theirs: `${Math.round(their)}/s`,
          figure: `${ratio.toFixed(2)} (${spread.map((bound) => bound.toFixed(2)).join("–")})`,
          atLeast,
          aim,
        });
      }
      return results;
    },
  },
  {
    name: "proxy of 100 MiB",
    needs: ["nginx"],
    async run({ pairs }) {
      await using backend = await startLargeBackend();
      await using ours = await startProxy(servers.hemi("proxy.conf"), backend);
      await using theirs = await startProxy(servers.nginxProxy(backend.port), backend);
      const rates: { ours: number; theirs: number }[] = [];
      for (let pair = 0; pair < pairs; pair++) {
        rates.push({ ours: await download(ours.port, largePath), theirs: await download(theirs.port, largePath) });
      }
      const our = median(rates.map((rate) => rate.ours));
      const their = median(rates.map((rate) => rate.theirs));
      return [
        {
          against: "nginx, proxy_buffering off",
          ours: `${Math.round(our)} MiB/s`,
          theirs: `${Math.round(their)} MiB/s`,
          figure: (our / their).toFixed(2),
          atLeast: "0.6",
          aim: "0.9",
        },
      ];
    },
  },
];

/** An nginx that has the large answer, of zeros. */
export function startLargeBackend(size = largeSize): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), "hemi-bench-large-"));
  // A worker of nginx is nobody, when root has started it.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "files"));
  writeFileSync(join(folder, largePath), "hemi");
  truncateSync(join(folder, largePath), size);
  return startBackend(servers.nginxIn(folder));
}

export function startProxy(command: Command, backend: ServerProcess): Promise<ServerProcess> {
  return startServer(command, { env: { BACKEND_PORT: String(backend.port) } });
}
