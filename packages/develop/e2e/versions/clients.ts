// How a request is made in each version of HTTP, plain and over TLS: by Node's own clients, and over HTTP/3 by
// http3Outgate, because Node has none.

import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import { Readable } from "node:stream";
import type { Http3Outgate } from "@hemi/contrib-quic";
import { FieldNames, ListedFields, noFields, type NodeResponseHead } from "@hemi/internal";

/** Where a server is. */
export interface Target {
  readonly port: number;
  /** What a client of TLS has to trust; `undefined`: without TLS. */
  readonly ca: Buffer | undefined;
  /** Trusts the same. */
  readonly outgate: Http3Outgate;
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
  /** Of the site. */
  readonly server: "plain" | "secure" | "quic";
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

async function openHTTP3({ port, outgate }: Target, asked: Asked): Promise<Opened> {
  const { method = "GET", path = "/", headers = {}, content, trailers: sent, signal } = asked;
  const head = Promise.withResolvers<NodeResponseHead>();
  const interims: number[] = [];
  let trailers: Readonly<Record<string, unknown>> = {};
  const stream = new Readable({ read: () => exchange.resume() });
  // Whoever reads is told of it; who has gone does not care.
  stream.on("error", () => undefined);
  const exchange = outgate.backend({ ips: ["127.0.0.1"], port, hostname: host }).exchange(
    {
      method,
      scheme: "https",
      authority: host,
      target: path,
      received: noFields,
      dropped: new FieldNames([]),
      added: Object.entries(headers).flat(),
      contentSize: content === undefined && sent === undefined ? 0 : undefined,
    },
    { key: "", stickTo: "", tried: [] },
    {
      interim: (status) => void interims.push(status),
      answered(answer, whole) {
        if (whole !== undefined) {
          stream.push(whole);
          stream.push(null);
        }
        head.resolve(answer);
      },
      content: (piece) => stream.push(piece),
      ended(fields) {
        trailers = Object.fromEntries(fields);
        stream.push(null);
      },
      failed(failure) {
        head.reject(failure);
        stream.destroy(failure);
      },
    },
  );
  const leave = (): void => {
    exchange.cancel();
    head.reject(new Error("the client has given the request up"));
    stream.destroy();
  };
  signal?.addEventListener("abort", leave);
  for (const piece of piecesOf(content)) if (!exchange.sendContent(Buffer.from(piece))) await exchange.writable();
  exchange.endContent(new ListedFields(Object.entries(sent ?? {}).flat()));
  const { status, fields } = await head.promise;
  return {
    status,
    headers: Object.fromEntries(fields),
    interims,
    stream,
    trailers: () => trailers,
    leave,
    [Symbol.asyncDispose]: () => Promise.resolve(leave()),
  };
}

function piecesOf(content: Asked["content"] = []): readonly (string | Uint8Array)[] {
  return typeof content === "string" || content instanceof Uint8Array ? [content] : content;
}

export const versions: readonly Version[] = [
  { name: "HTTP/1.1", server: "plain", version: "1.1", open: openHTTP1 },
  { name: "HTTP/2", server: "plain", version: "2", open: openHTTP2 },
  { name: "HTTP/1.1 over TLS", server: "secure", version: "1.1", open: openHTTP1 },
  { name: "HTTP/2 over TLS", server: "secure", version: "2", open: openHTTP2 },
  { name: "HTTP/3", server: "quic", version: "3", open: openHTTP3 },
];

/** One request, and all of its answer. */
export async function ask(version: Version, target: Target, asked: Asked = {}): Promise<Answer> {
  await using opened = await version.open(target, asked);
  const content = Buffer.concat((await opened.stream.toArray()) as Buffer[]);
  const { status, headers, interims } = opened;
  return { status, headers, interims, content, text: content.toString(), trailers: opened.trailers() };
}
