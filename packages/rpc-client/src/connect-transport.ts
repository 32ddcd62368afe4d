// Connect over fetch: works in browsers and in Node.js (https://connectrpc.com/docs/protocol).

import {
  codecOf,
  codeOfHttpStatus,
  decodeMessage,
  encodeMessage,
  envelope,
  EnvelopeReader,
  errorFromJson,
  Metadata,
  parseJson,
  RpcError,
  toBase64Url,
  type MessageCodec,
  type OutgoingCall,
  type Transport,
} from "@hemi/common/rpc";
import { followEvents } from "./event-stream.ts";
import { brokenOff, endCall, readAll, readPieces } from "./response-content.ts";

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
  const { input, output, idempotency } = call.procedure;
  const codec = codecFor(call, connection);
  const type = `application/${codec}`;
  let body = new Uint8Array();
  for await (const each of call.inputs) body = new Uint8Array(encodeMessage(input, codec, each));
  const isGet = connection.useGet === true && idempotency === "no_side_effects";
  const response = isGet
    ? await ask(connection, call, getTarget(call, codec, body), type, { headers: headersOf(call) })
    : await post(connection, call, type, { body });
  const bytes = await readAll(response, connection.maxMessageSize, call.signal);
  call.headersCame(Metadata.received(response.headers));
  yield decodeMessage(output, codec, bytes);
  call.trailersCame(Metadata.received(trailersOf(response)));
}

async function* callStream(connection: Connection, call: OutgoingCall): AsyncGenerator<unknown, void, void> {
  const codec = codecFor(call, connection);
  const response = await post(connection, call, `application/connect+${codec}`, await contentOf(call, codec));
  call.headersCame(Metadata.received(response.headers));
  const reader = new EnvelopeReader(connection.maxMessageSize);
  for await (const piece of readPieces(response, call.signal)) {
    reader.push(piece);
    for (let next = reader.take(); next !== undefined; next = reader.take()) {
      if ((next.flags & endFlag) !== 0) return endCall(call, new TextDecoder().decode(next.bytes));
      yield decodeMessage(call.procedure.output, codec, next.bytes);
    }
  }
  throw brokenOff();
}

async function* callByEvents(connection: Connection, call: OutgoingCall): AsyncGenerator<unknown, void, void> {
  const { input, output } = call.procedure;
  const type = "text/event-stream";
  let body = "";
  for await (const each of call.inputs) body = input.stringify(each);
  const askBehind = (lastEventId: string | undefined): Promise<Response> =>
    ask(connection, call, call.path, type, {
      method: "POST",
      headers: {
        ...headersOf(call),
        "content-type": "application/json",
        accept: type,
        ...(lastEventId !== undefined && { "last-event-id": lastEventId }),
      },
      body,
    });
  for await (const text of followEvents(askBehind, call, connection.maxMessageSize)) {
    yield decodeMessage(output, "json", text);
  }
}

/** Asks for a response of the type of the request. Rejects like `ask`. */
function post(connection: Connection, call: OutgoingCall, type: string, content: RequestInit): Promise<Response> {
  return ask(connection, call, call.path, type, {
    method: "POST",
    headers: { ...headersOf(call), "content-type": type, "connect-protocol-version": "1" },
    ...content,
  });
}

/** The response to a call that went well so far. Rejects with RpcError, also if the response is of another type. */
async function ask(
  connection: Connection,
  call: OutgoingCall,
  target: string,
  wanted: string,
  init: RequestInit,
): Promise<Response> {
  const response = await send(connection, call, target, init);
  if (response.status !== 200) throw errorOf(response, await readAll(response, connection.maxMessageSize, call.signal));
  const type = response.headers.get("content-type") ?? "";
  if (type.replace(/;.*/s, "").trim().toLowerCase() === wanted) return response;
  await response.body?.cancel().catch(() => {});
  throw new RpcError("unknown", `the server answered with the type ${JSON.stringify(type)} instead of ${wanted}`);
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
  const headers = new Headers();
  for (const [name, value] of metadata) headers.append(name, value);
  const ms = Math.ceil(timeout);
  // The field has ten digits at most.
  if (ms < 1e10) headers.set("connect-timeout-ms", String(Math.max(1, ms)));
  return Object.fromEntries(headers);
}

function getTarget({ path }: OutgoingCall, codec: MessageCodec, content: Uint8Array): string {
  return `${path}?connect=v1&encoding=${codec}&base64=1&message=${toBase64Url(content)}`;
}

/** Known content goes out in one piece: browsers can stream nothing over HTTP/1. */
async function contentOf({ inputs, procedure }: OutgoingCall, codec: MessageCodec): Promise<RequestInit> {
  const envelopes = (async function* () {
    for await (const each of inputs) yield envelope(0, encodeMessage(procedure.input, codec, each));
  })();
  if (procedure.kind === "server_streaming") {
    for await (const body of envelopes) return { body };
    return {};
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await envelopes.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await envelopes.return();
    },
  });
  // Required for streams; the types of browsers lack it.
  const half = { duplex: "half" as const };
  return { body, ...half };
}

function codecFor({ procedure }: OutgoingCall, { codec }: Connection): MessageCodec {
  return codec === "json" ? codec : codecOf(procedure);
}

function trailersOf({ headers }: Response): [name: string, value: string][] {
  const trailers: [string, string][] = [];
  for (const [name, value] of headers) if (name.startsWith("trailer-")) trailers.push([name.slice(8), value]);
  return trailers;
}

function errorOf(response: Response, bytes: Uint8Array): RpcError {
  const metadata = Metadata.received([...response.headers, ...trailersOf(response)]);
  const json = parseJson(new TextDecoder().decode(bytes));
  const fallback = codeOfHttpStatus(response.status);
  if (json === undefined)
    return new RpcError(fallback, `the server answered with status ${response.status}`, { metadata });
  return errorFromJson(json, fallback, metadata);
}

/** The last message of a stream: it tells how the stream ended. */
const endFlag = 0x02;
