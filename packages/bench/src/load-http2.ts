// Load from h2load, on a core of its own.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { loadCore, pinned } from "./machine.ts";

export interface Http2Load {
  readonly url: string;
  readonly connections: number;
  /** At once on each connection. */
  readonly streams: number;
  /** `name: value`. */
  readonly headers?: readonly string[];
  /** A file, which each request sends as its content. Default: none, by GET. */
  readonly content?: string;
  /** So many requests in all. */
  readonly requests: number;
  /** Of each stream, and of the connection, as a power of two. Default: 16, as the RFC has it. */
  readonly windowBits?: number;
}

/** Requests a second. Throws if any request failed. */
export async function measureHttp2(load: Http2Load): Promise<number> {
  const { url, connections, streams, headers = [], content, requests, windowBits = 16 } = load;
  const [program, ...args] = pinned(loadCore, [
    "h2load",
    ...[`-n${requests}`, `-c${connections}`, `-m${streams}`, `-w${windowBits}`, `-W${windowBits}`],
    ...(content === undefined ? [] : ["-d", content]),
    ...headers.flatMap((header) => ["-H", header]),
    url,
  ]);
  const { stdout } = await promisify(execFile)(program, args);
  if (!stdout.includes(` ${requests} succeeded, 0 failed`)) throw new Error(`the load met with failures: ${stdout}`);
  const [, rate] = /^finished in [^,]+, ([\d.]+) req\/s/m.exec(stdout) ?? [];
  if (rate === undefined) throw new Error(`h2load said nothing of its rate: ${stdout}`);
  return Number(rate);
}
