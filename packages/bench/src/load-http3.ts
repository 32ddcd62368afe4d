// Load over HTTP/3 from the client of ngtcp2, a process for each connection, on a core of its own.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { loadCore, pinned } from "./machine.ts";

export interface Http3Load {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  /** On all connections together. As many at once as the server allows. */
  readonly requests: number;
}

/** Requests a second. Throws if any connection failed. */
export async function measureHttp3({ port, path, connections, requests }: Http3Load): Promise<number> {
  const each = Math.ceil(requests / connections);
  const begun = performance.now();
  await Promise.all(Array.from({ length: connections }, () => ask(port, path, each, ["-q"])));
  return (each * connections * 1000) / (performance.now() - begun);
}

/** Throws if the server does not answer with 200. */
export async function checkHttp3(port: number, path: string): Promise<void> {
  const { stdout, stderr } = await ask(port, path, 1, ["--no-quic-dump", "--no-http-dump"]);
  if (!(stdout + stderr).includes("[:status: 200]")) throw new Error(`it does not answer ${path} with 200: ${stderr}`);
}

function ask(
  port: number,
  path: string,
  requests: number,
  more: readonly string[],
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const [program, ...args] = pinned(loadCore, [
    "gtlsclient",
    ...["--exit-on-all-streams-close", `--nstreams=${requests}`, "--max-data=1G", "--max-stream-data-bidi-local=64M"],
    ...more,
    ...["127.0.0.1", String(port), `https://127.0.0.1:${port}${path}`],
  ]);
  return promisify(execFile)(program, args, { maxBuffer: 100_000_000 });
}
