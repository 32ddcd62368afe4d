// HTTP/2 over TLS, against nginx and node:http2.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { comparePairs } from "../comparison.ts";
import { browserHeaders } from "../load.ts";
import { measureHttp2, type Http2Load } from "../load-http2.ts";
import { startBackend, startServer, type ServerProcess } from "../server-process.ts";
import { certificateFolder } from "../servers/certificate.ts";
import * as servers from "../servers/commands.ts";
import type { Result, Settings, Work } from "../work.ts";
import { startProxy } from "./proxying.ts";

interface Http2Work extends Omit<Http2Load, "url"> {
  readonly name: string;
  readonly path?: string;
  readonly peer?: "node:http2";
  readonly atLeast: string;
  readonly aim: string;
}

const many = { connections: 16, streams: 32, requests: 200_000 };

export const http2: readonly Work[] = [
  http2Work({ name: "HTTP/2, 13 bytes", ...many, atLeast: "1.0", aim: "2.0" }),
  http2Work({ name: "HTTP/2, 13 bytes", peer: "node:http2", ...many, atLeast: "3.5", aim: "6.0" }),
  http2Work({
    name: "HTTP/2, 13 bytes, 10 browser-like fields",
    headers: browserHeaders,
    ...many,
    atLeast: "1.0",
    aim: "2.0",
  }),
  http2Work({
    name: "HTTP/2, 13 bytes, one connection",
    ...many,
    connections: 1,
    streams: 100,
    atLeast: "1.0",
    aim: "2.0",
  }),
  http2Work({
    name: "HTTP/2, static 10 KiB",
    path: "/files/10k.bin",
    ...many,
    requests: 60_000,
    atLeast: "0.8",
    aim: "1.2",
  }),
  http2Work({
    name: "HTTP/2, static 100 MiB, one stream",
    path: "/files/100m.bin",
    connections: 1,
    streams: 1,
    requests: 6,
    windowBits: 24,
    atLeast: "0.6",
    aim: "0.9",
  }),
  {
    name: "HTTP/2, proxy of a 13-byte answer, http2Backend out",
    needs: ["h2load", "openssl", "nginx"],
    async run(settings) {
      await using ourBackend = await startBackend(servers.nginxHttp2Backend);
      await using theirBackend = await startBackend(servers.nginx);
      await using our = await startProxy(servers.hemiWithCertificate("proxy-http2.conf"), ourBackend);
      await using their = await startProxy(servers.nginxHttp2Proxy(theirBackend.port), theirBackend);
      const load = { ...many, requests: 60_000, path: "/" };
      return [
        await measured(our, their, { load, ...settings, against: "nginx, HTTP/1 out", atLeast: "0.8", aim: "1.5" }),
      ];
    },
  },
];

function http2Work({ name, path = "/", peer, atLeast, aim, ...load }: Http2Work): Work {
  return {
    name,
    needs: peer === undefined ? ["h2load", "openssl", "nginx"] : ["h2load", "openssl"],
    async run(settings) {
      makeLargeFiles();
      await using our = await startServer(servers.hemiWithCertificate("http2.conf"));
      await using their = await startServer(
        peer === undefined ? servers.nginxHttp2 : servers.nodeWithCertificate("node-http2.ts"),
      );
      const row = { against: peer ?? "nginx", atLeast, aim };
      return [await measured(our, their, { load: { ...load, path }, ...settings, ...row })];
    },
  };
}

interface Measured extends Settings {
  /** The requests of one run while a server is warmed up. */
  readonly load: Omit<Http2Load, "url"> & { readonly path: string };
  readonly against: string;
  readonly atLeast: string;
  readonly aim: string;
}

/** Pairs of both over HTTP/2, after both are warmed up. */
export async function measured(
  our: ServerProcess,
  their: ServerProcess,
  { load: { path, ...load }, seconds, pairs, against, atLeast, aim }: Measured,
): Promise<Result> {
  const runOf = async ({ port }: ServerProcess): Promise<() => Promise<number>> => {
    const run = (requests: number): Promise<number> =>
      measureHttp2({ ...load, requests, url: `https://127.0.0.1:${port}${path}` });
    const warmUntil = performance.now() + warmUpTime;
    let rate = 0;
    while (performance.now() < warmUntil) rate = await run(load.requests);
    const requests = Math.max(load.requests, Math.round(rate * seconds));
    return () => run(requests);
  };
  const [ours, theirs] = [await runOf(our), await runOf(their)];
  const compared = await comparePairs(ours, theirs, pairs);
  const figure = `${compared.ratio.toFixed(2)} (${compared.spread.map((bound) => bound.toFixed(2)).join("–")})`;
  const rate = (each: number): string => `${each < 100 ? each.toFixed(1) : Math.round(each)}/s`;
  return { against, ours: rate(compared.ours), theirs: rate(compared.theirs), figure, atLeast, aim };
}

/** As long as HTTP/1 is warmed up, in milliseconds. */
const warmUpTime = 2000;

/** Beside the certificate. */
export function makeLargeFiles(): void {
  const folder = join(certificateFolder(), "files");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "10k.bin"), Buffer.alloc(10 * 1024, "x"));
  writeFileSync(join(folder, "100m.bin"), Buffer.alloc(100 * 1024 * 1024, "x"));
}
