// How a request is made in each version of HTTP, plain and over TLS, by Node's own clients.

import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import type { Readable } from "node:stream";

/** Where a server is. */
export interface Target {
  readonly port: number;
  /** What a client of TLS has to trust; `undefined`: without TLS. */
  readonly ca: Buffer | undefined;
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pieces are sent one by one. */
  readonly content?: string | Uint8Array | readonly string[];
  /** Fields behind the content. */
  readonly trailers?: Readonly<Record<string, string>>;
  /** The client gives it up with this, its head answered or not. */
  readonly signal?: AbortSignal;
}

/** An answer whose head has come. */
export interface Opened extends AsyncDisposable {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly interims: readonly number[];
  readonly stream: Readable;
  /** Filled when the stream has ended. */
  trailers(): Readonly<Record<string, unknown>>;
  /** The client gives the request up. */
  leave(): void;
}

export interface Answer extends Pick<Opened, "status" | "headers" | "interims"> {
  readonly content: Buffer;
  readonly text: string;
  readonly trailers: Readonly<Record<string, unknown>>;
}

export interface Version {
  readonly name: string;
  readonly isTLS: boolean;
  /** As `req.version` says it. */
  readonly version: string;
  open(target: Target, asked: Asked): Promise<Opened>;
}

const host = "localhost";

async function openHTTP1({ port, ca }: Target, asked: Asked): Promise<Opened> {
  const { method = "GET", path = "/", headers = {}, content, trailers, signal } = asked;
  const make = ca === undefined ? http.request : https.request;
  const request = make({
    ca,
    servername: host,
    host: "127.0.0.1",
    port,
    method,
    path,
    agent: false,
    signal,
    headers: { host, ...headers },
  });
  const interims: number[] = [];
  request.on("information", ({ statusCode }) => interims.push(statusCode));
  const response = once(request, "response");
  if (headers["expect"] !== undefined) {
    request.flushHeaders();
    await once(request, "continue");
  }
  for (const piece of piecesOf(content)) request.write(piece);
  if (trailers !== undefined) request.addTrailers(trailers);
  request.end();
  const [stream] = (await response) as [http.IncomingMessage];
  // Whoever reads is told of it; who has gone does not care.
  request.on("error", () => undefined);
  return {
    status: stream.statusCode ?? 0,
    headers: stream.headers,
    interims,
    stream,
    trailers: () => stream.trailers,
    leave: () => request.destroy(),
    [Symbol.asyncDispose]: () => Promise.resolve(void request.destroy()),
  };
}

async function openHTTP2({ port, ca }: Target, asked: Asked): Promise<Opened> {
  const { method = "GET", path = "/", headers = {}, content, trailers: sent, signal } = asked;
  const scheme = ca === undefined ? "http" : "https";
  const session = http2.connect(`${scheme}://127.0.0.1:${port}`, { ca, servername: host });
  const stream = session.request(
    { ":method": method, ":path": path, ":authority": host, ...headers },
    { endStream: content === undefined, waitForTrailers: sent !== undefined, ...(signal && { signal }) },
  );
  if (sent !== undefined) stream.on("wantTrailers", () => stream.sendTrailers(sent));
  const interims: number[] = [];
  let trailers: http2.IncomingHttpHeaders = {};
  stream.on("headers", (fields: http2.IncomingHttpStatusHeader) => interims.push(fields[":status"] ?? 0));
  stream.on("trailers", (fields: http2.IncomingHttpHeaders) => {
    trailers = fields;
  });
  session.on("error", () => undefined);
  const response = once(stream, "response");
  if (headers["expect"] !== undefined) await once(stream, "continue");
  for (const piece of piecesOf(content)) stream.write(piece);
  if (content !== undefined) stream.end();
  const [fields] = (await response) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
  stream.on("error", () => undefined);
  return {
    status: fields[":status"] ?? 0,
    headers: fields,
    interims,
    stream,
    trailers: () => trailers,
    leave: () => stream.close(http2.constants.NGHTTP2_CANCEL),
    [Symbol.asyncDispose]: () => Promise.resolve(session.destroy()),
  };
}

function piecesOf(content: Asked["content"] = []): readonly (string | Uint8Array)[] {
  return typeof content === "string" || content instanceof Uint8Array ? [content] : content;
}

export const versions: readonly Version[] = [false, true].flatMap((isTLS) => {
  const suffix = isTLS ? " over TLS" : "";
  return [
    { name: `HTTP/1.1${suffix}`, isTLS, version: "1.1", open: openHTTP1 },
    { name: `HTTP/2${suffix}`, isTLS, version: "2", open: openHTTP2 },
  ];
});

/** One request, and all of its answer. */
export async function ask(version: Version, target: Target, asked: Asked = {}): Promise<Answer> {
  await using opened = await version.open(target, asked);
  const content = Buffer.concat((await opened.stream.toArray()) as Buffer[]);
  const { status, headers, interims } = opened;
  return { status, headers, interims, content, text: content.toString(), trailers: opened.trailers() };
}
