// Load from wrk, on a core of its own unless a work says otherwise.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { loadCore, pinned } from "./machine.ts";

export interface Load {
  readonly port: number;
  readonly path: string;
  /** Default: `http`. */
  readonly scheme?: "http" | "https";
  readonly headers?: readonly string[];
  /** Another query each time: else each head is the same as the one before it on its connection. */
  readonly isVaried: boolean;
  /** In seconds. */
  readonly seconds: number;
  /** JSON that each request sends by POST. Default: none, by GET. Not with `isVaried`. */
  readonly content?: string | undefined;
  /** Values of the field cookie: each request sends the next one. Default: none. Not with `isVaried` or `content`. */
  readonly cookies?: readonly string[] | undefined;
  /** Connections at once. Default: 64. */
  readonly connections?: number | undefined;
  /** Default: the core of the load. */
  readonly core?: number | undefined;
}

/** Requests a second. Throws if any request failed. */
export async function measure({
  port,
  path,
  scheme = "http",
  headers = [],
  isVaried,
  content,
  cookies,
  seconds,
  connections = 64,
  core = loadCore,
}: Load): Promise<number> {
  const fields = headers.flatMap((header) => ["-H", header]);
  const [program, ...args] = pinned(core, [
    "wrk",
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    ...fields,
    ...(isVaried ? script("vary.lua") : []),
    ...(content === undefined ? [] : script("post.lua")),
    ...(cookies === undefined ? [] : script("cookies.lua")),
    `${scheme}://127.0.0.1:${port}${path}`,
    ...(content === undefined ? [] : ["--", content]),
    ...(cookies === undefined ? [] : ["--", ...cookies]),
  ]);
  const { stdout } = await promisify(execFile)(program, args);
  const trouble = /^.*(?:Socket errors|Non-2xx).*$/m.exec(stdout);
  if (trouble !== null) throw new Error(`the load met with failures: ${trouble[0].trim()}`);
  const [, rate] = /^Requests\/sec:\s+([\d.]+)/m.exec(stdout) ?? [];
  if (rate === undefined) throw new Error(`wrk said nothing of its rate: ${stdout}`);
  return Number(rate);
}

function script(name: string): readonly string[] {
  return ["-s", fileURLToPath(new URL(name, import.meta.url))];
}

/** What a browser sends: ten fields, some 700 bytes. */
export const browserHeaders: readonly string[] = [
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
  "Accept-Encoding: gzip, deflate, br, zstd",
  'Sec-CH-UA: "Chromium";v="141", "Not?A_Brand";v="8"',
  "Sec-Fetch-Site: same-origin",
  "Sec-Fetch-Mode: navigate",
  "Referer: https://shop.example/catalogue/shoes/running?page=3&sort=price&colour=green&size=43",
  "Upgrade-Insecure-Requests: 1",
  "Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=1; _ga=GA1.1.1402357823.1763800000; cart=3",
];
