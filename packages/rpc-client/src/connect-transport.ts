// Connect over fetch: works in browsers and in Node.js (https://connectrpc.com/docs/protocol).

import {
  codeOfHttpStatus,
  endOfStreamFromJson,
  envelope,
  EnvelopeReader,
  errorFromJson,
  Metadata,
  parseJson,
  RpcError,
  toBase64Url,
  type OutgoingCall,
  type Procedure,
  type Transport,
} from "@hemi/common/rpc";
import { followEvents } from "./event-stream.ts";
import { readAll, readPieces } from "./response-content.ts";

/** How calls are made. */
export interface ConnectOptions {
  /** Default: that of the platform. */
  readonly fetch?: typeof fetch;
  /** How protobuf messages travel; those of a schema are JSON in any case. Default: `proto`. */
  readonly codec?: "proto" | "json";
  /** Whether unary calls without side effects are GETs, which caches understand. Default: false. */
  readonly useGet?: boolean;
  /**
   * Whether server streams come as server-sent events. After a lost connection the stream is asked for again, behind
   * the last message that had an id. Default: false.
   */
  readonly eventStreams?: boolean;
  /** Of a message from the server, in bytes. More: `resource_exhausted`. Default: 4 MiB. */
  readonly maxMessageSize?: number;
}

/** Calls a server at a URL, whose path is before those of all procedures. */
export function connectTransport(url: string, options: ConnectOptions = {}): Transport {
  const base = url.replace(/\/+$/, "");
  const connection: Connection = { base, maxMessageSize: 4 * 1024 * 1024, ...options };
  return {
    call(call) {
      if (call.procedure.kind === "unary") return callUnary(connection, call);
      const byEvents = connection.eventStreams === true && call.procedure.kind === "server_streaming";
      return byEvents ? callByEvents(connection, call) : callStream(connection, call);
    },
  };
}

interface Connection extends ConnectOptions {
  readonly base: string;
  readonly maxMessageSize: number;
}

async function* callUnary(connection: Connection, call: OutgoingCall): AsyncGenerator<unknown, void, void> {
  const coder = coderOf(call.procedure, connection);
  let content: Uint8Array<ArrayBuffer> | undefined;
  for await (const input of call.inputs) content = coder.encode(input);
  const isGet = connection.useGet === true && call.procedure.idempotency === "no_side_effects";
  const response = isGet
    ? await send(connection, call, getTarget(call, coder.codec, content), { method: "GET", headers: headersOf(call) })
    : await send(connection, call, call.path, {
        method: "POST",
        headers: { ...headersOf(call), "content-type": `application/${coder.codec}`, "connect-protocol-version": "1" },
        body: content ?? null,
      });
  const bytes = await readAll(response, connection.maxMessageSize, call.signal);
  const [headers, trailers] = splitTrailers(response);
  if (response.status !== 200) throw errorOf(response, bytes);
  checkType(response, `application/${coder.codec}`);
  call.headersCame(headers);
  yield coder.decode(bytes);
  call.trailersCame(trailers);
}

async function* callStream(connection: Connection, call: OutgoingCall): AsyncGenerator<unknown, void, void> {
  const coder = coderOf(call.procedure, connection);
  const type = `application/connect+${coder.codec}`;
  const response = await send(connection, call, call.path, {
    method: "POST",
    headers: { ...headersOf(call), "content-type": type, "connect-protocol-version": "1" },
    ...(await contentOf(call, coder)),
  });
  if (response.status !== 200) throw errorOf(response, await readAll(response, connection.maxMessageSize, call.signal));
  checkType(response, type);
  call.headersCame(Metadata.received(response.headers));
  const reader = new EnvelopeReader(connection.maxMessageSize);
  for await (const piece of readPieces(response, call.signal)) {
    reader.push(piece);
    for (let next = reader.take(); next !== undefined; next = reader.take()) {
      if ((next.flags & endFlag) === 0) {
        yield coder.decode(next.bytes);
        continue;
      }
      const { error, trailers } = endOfStreamFromJson(new TextDecoder().decode(next.bytes));
      call.trailersCame(trailers);
      if (error !== undefined) throw error;
      return;
    }
  }
  throw new RpcError("unavailable", "the stream was broken off before its end");
}

async function* callByEvents(connection: Connection, call: OutgoingCall): AsyncGenerator<unknown, void, void> {
  const { input, output } = call.procedure;
  let body = "";
  for await (const each of call.inputs) body = input.stringify(each);
  const ask = async (lastEventId: string | undefined): Promise<Response> => {
    const response = await send(connection, call, call.path, {
      method: "POST",
      headers: {
        ...headersOf(call),
        "content-type": "application/json",
        accept: "text/event-stream",
        ...(lastEventId !== undefined && { "last-event-id": lastEventId }),
      },
      body,
    });
    if (response.status !== 200) {
      throw errorOf(response, await readAll(response, connection.maxMessageSize, call.signal));
    }
    checkType(response, "text/event-stream");
    return response;
  };
  for await (const text of followEvents(ask, call, connection.maxMessageSize)) yield output.parse(text);
}

/** Rejects with RpcError if there is no response. */
async function send(connection: Connection, call: OutgoingCall, target: string, init: RequestInit): Promise<Response> {
  const { signal } = call;
  signal.throwIfAborted();
  try {
    return await (connection.fetch ?? fetch)(connection.base + target, { ...init, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RpcError) throw error;
    throw new RpcError("unavailable", "the server cannot be reached", { cause: error });
  }
}

function headersOf({ metadata, timeout }: OutgoingCall): Record<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of metadata) {
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  const ms = Math.ceil(timeout);
  // The field has ten digits at most.
  if (ms < 1e10) headers.set("connect-timeout-ms", String(Math.max(1, ms)));
  return Object.fromEntries(headers);
}

function getTarget({ path }: OutgoingCall, codec: string, content: Uint8Array = new Uint8Array()): string {
  return `${path}?connect=v1&encoding=${codec}&base64=1&message=${toBase64Url(content)}`;
}

/** Known content goes out in one piece: browsers can stream nothing over HTTP/1. */
async function contentOf({ inputs, procedure }: OutgoingCall, { encode }: Coder): Promise<RequestInit> {
  if (procedure.kind === "server_streaming") {
    for await (const input of inputs) return { body: envelope(0, encode(input)) };
    return {};
  }
  const iterator = (async function* () {
    for await (const input of inputs) yield envelope(0, encode(input));
  })();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await iterator.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await iterator.return();
    },
  });
  // Required for streams; the types of browsers lack it.
  const half = { duplex: "half" as const };
  return { body, ...half };
}

interface Coder {
  readonly codec: "proto" | "json";
  readonly encode: (message: unknown) => Uint8Array<ArrayBuffer>;
  readonly decode: (bytes: Uint8Array) => unknown;
}

function coderOf({ input, output }: Procedure, { codec }: Connection): Coder {
  const { binary: binaryIn } = input;
  const { binary: binaryOut } = output;
  if (codec !== "json" && binaryIn !== undefined && binaryOut !== undefined) {
    const encode = (message: unknown): Uint8Array<ArrayBuffer> => new Uint8Array(binaryIn.encode(message));
    return { codec: "proto", encode, decode: (bytes) => binaryOut.decode(bytes) };
  }
  return {
    codec: "json",
    encode: (message) => new TextEncoder().encode(input.stringify(message)),
    decode: (bytes) => output.parse(new TextDecoder().decode(bytes)),
  };
}

function splitTrailers({ headers }: Response): readonly [headers: Metadata, trailers: Metadata] {
  const trailers: [string, string][] = [];
  for (const [name, value] of headers) if (name.startsWith("trailer-")) trailers.push([name.slice(8), value]);
  return [Metadata.received(headers), Metadata.received(trailers)];
}

function errorOf(response: Response, bytes: Uint8Array): RpcError {
  const [headers, trailers] = splitTrailers(response);
  const metadata = Metadata.received([...headers, ...trailers]);
  const json = parseJson(new TextDecoder().decode(bytes));
  const fallback = codeOfHttpStatus(response.status);
  if (json === undefined)
    return new RpcError(fallback, `the server answered with status ${response.status}`, { metadata });
  return errorFromJson(json, fallback, metadata);
}

function checkType({ headers }: Response, wanted: string): void {
  const type = headers.get("content-type") ?? "";
  if (type.replace(/;.*/s, "").trim().toLowerCase() !== wanted) {
    throw new RpcError("unknown", `the server answered with the type ${JSON.stringify(type)} instead of ${wanted}`);
  }
}

/** The last message of a stream: it tells how the stream ended. */
const endFlag = 0x02;
