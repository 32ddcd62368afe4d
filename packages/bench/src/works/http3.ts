// HTTP/3, against the server side of the native package with a bare handler.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { comparePairs, type Comparison } from "../comparison.ts";
import { measureHttp2 } from "../load-http2.ts";
import { checkHttp3, measureHttp3 } from "../load-http3.ts";
import { loadCore, pinned } from "../machine.ts";
import { startBackend, startServer, type ServerProcess } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Result, Work } from "../work.ts";
import { makeLargeFiles } from "./http2.ts";
import { startProxy } from "./proxying.ts";

const against = "the native package with a bare handler";
const largeSize = 100 * 1024 * 1024;
const idleConns = 2000;
const quicLoad = fileURLToPath(new URL("../quic-load.ts", import.meta.url));

/** Ours, and the bare handler with responses of a size. */
async function compareWith(
  size: number,
  measure: (server: ServerProcess) => Promise<number>,
  pairs: number,
): Promise<Comparison> {
  await using our = await startServer(servers.hemiWithCertificate("http3.conf", "quic-pack.ts"));
  await using their = await startServer(servers.nodeWithCertificate("bare-quic.ts"), { env: { SIZE: String(size) } });
  for (const server of [our, their]) {
    await checkHttp3(server.port, "/");
    await measure(server);
  }
  return await comparePairs(
    () => measure(our),
    () => measure(their),
    pairs,
  );
}

function row({ ours, theirs, ratio, spread }: Comparison, unit: string, atLeast: string, aim: string): Result {
  const rate = (each: number): string => `${each < 100 ? each.toFixed(1) : Math.round(each)}${unit}`;
  const figure = `${ratio.toFixed(2)} (${spread.map((bound) => bound.toFixed(2)).join("–")})`;
  return { against, ours: rate(ours), theirs: rate(theirs), figure, atLeast, aim };
}

export const http3: readonly Work[] = [
  {
    name: "HTTP/3, 13 bytes",
    needs: ["gtlsclient", "openssl"],
    async run({ pairs }) {
      const load = { path: "/", connections: 16, requests: 60_000 };
      return [row(await compareWith(13, ({ port }) => measureHttp3({ ...load, port }), pairs), "/s", "0.8", "1.0")];
    },
  },
  {
    name: "HTTP/3, static 100 MiB, one stream",
    needs: ["gtlsclient", "openssl"],
    async run({ pairs }) {
      makeLargeFiles();
      const load = { path: "/files/100m.bin", connections: 1, requests: 1 };
      const measure = async ({ port }: ServerProcess): Promise<number> => 100 * (await measureHttp3({ ...load, port }));
      return [row(await compareWith(largeSize, measure, pairs), " MiB/s", "0.8", "1.0")];
    },
  },
  {
    name: "HTTP/3, handshakes",
    needs: ["gtlsclient", "openssl"],
    async run({ pairs, seconds }) {
      const measure = async ({ port }: ServerProcess): Promise<number> => {
        const [program, ...args] = pinned(loadCore, loadCommand("handshakes", port, seconds, 32));
        return Number((await promisify(execFile)(program, args)).stdout);
      };
      return [row(await compareWith(13, measure, pairs), "/s", "0.9", "1.0")];
    },
  },
  {
    name: `HTTP/3, memory for each of ${idleConns} idle connections`,
    needs: ["openssl"],
    async run() {
      await using server = await startServer(servers.hemiWithCertificate("http3.conf", "quic-pack.ts"));
      // Warmed up, so that what the first connections cost once is not counted.
      await using _ = await openConns(server, 200);
      const before = server.memory();
      await using __ = await openConns(server, idleConns);
      const figure = `${((server.memory() - before) / idleConns / 1024).toFixed(1)} KiB`;
      return [{ against: "", ours: figure, theirs: "", figure, atLeast: "60 KB", aim: "30 KB" }];
    },
  },
  {
    name: "proxy of a 13-byte answer, HTTP/3 in",
    needs: ["gtlsclient", "h2load", "openssl", "nginx"],
    async run({ pairs }) {
      await using backend = await startBackend(servers.nginx);
      await using proxy = await startProxy(servers.hemiWithCertificate("proxy-http3.conf", "quic-pack.ts"), backend);
      const { port } = proxy;
      const load = { path: "/", connections: 16, requests: 30_000 };
      const byHttp3 = (): Promise<number> => measureHttp3({ ...load, port });
      const byHttp2 = (): Promise<number> => measureHttp2({ ...load, streams: 32, url: `https://127.0.0.1:${port}/` });
      await checkHttp3(port, "/");
      await byHttp3();
      await byHttp2();
      const compared = await comparePairs(byHttp3, byHttp2, pairs);
      return [{ ...row(compared, "/s", "0.3", "0.6"), against: "the same with HTTP/2 in" }];
    },
  },
];

function loadCommand(mode: string, ...numbers: readonly number[]): readonly string[] {
  return [process.execPath, "--conditions=@hemi/source", quicLoad, mode, ...numbers.map(String)];
}

/** Opens connections that stay idle until they are disposed. */
async function openConns({ port }: ServerProcess, count: number): Promise<AsyncDisposable> {
  const [program, ...args] = pinned(loadCore, loadCommand("idle", port, count));
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const [told] = (await Promise.race([once(child.stdout, "data"), exited])) as [Buffer | number];
  if (Number(String(told)) !== count) throw new Error("the connections could not be opened");
  return {
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited;
    },
  };
}
