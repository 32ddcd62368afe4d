// One call at a gRPC server, over a backend that speaks HTTP/2.

import { isPromiseLike } from "@hemi/common";
import {
  decodeMessage,
  encodeMessage,
  envelope,
  ignoreMetadata,
  reasonOf,
  RpcError,
  type Cancelable,
  type MessageCodec,
  type OutgoingCall,
  type Procedure,
  type SingleCall,
} from "@hemi/common/rpc";
import { connectionFields, FieldNames } from "../../http/field-names.ts";
import { noFields } from "../../http/fields.ts";
import type { BackendRequest, WebBackend, WebExchange } from "../../http/web-backend.ts";
import { acceptedCodings } from "../message-codings.ts";
import { GrpcResponse } from "./grpc-response.ts";

/** How servers are called. */
export interface GrpcOptions {
  /** Of a message of an answer, in bytes, before and after decompression. Default: 4 MiB. */
  readonly maxMessageSize?: number;
  /** What servers are asked for, such as `shop.example`. Default: the host of the node. */
  readonly authority?: string;
  /** Default: `http`. */
  readonly scheme?: "http" | "https";
}

/** The messages of the answer. Throws RpcError. */
export async function* callGrpc(
  backend: WebBackend,
  call: OutgoingCall,
  options: GrpcOptions,
): AsyncGenerator<unknown, void, void> {
  const { procedure, signal } = call;
  signal.throwIfAborted();
  const codec = codecOf(procedure);
  const response = new GrpcResponse(options.maxMessageSize ?? defaultMaxMessageSize);
  const exchange = backend.exchange(requestOf(call, codec, options), { key: "", stickTo: "", tried: [] }, response);
  response.resume = () => exchange.resume();
  const abort = (): void => {
    exchange.cancel();
    response.fail(reasonOf(signal));
  };
  signal.addEventListener("abort", abort);
  send(exchange, call, codec).catch((error: unknown) => {
    exchange.cancel();
    response.fail(inputsFailed(error));
  });
  let hasHeaders = false;
  try {
    for (;;) {
      const bytes = await response.next();
      if (!hasHeaders && response.headers !== undefined) call.headersCame(response.headers);
      hasHeaders = true;
      if (bytes === undefined) break;
      yield decodeMessage(procedure.output, codec, bytes);
    }
    call.trailersCame(response.trailers);
  } finally {
    signal.removeEventListener("abort", abort);
    exchange.cancel();
  }
}

/** The same for a call that is answered by one message: without iterables, and without a signal. Throws the same. */
export function callGrpcOnce(backend: WebBackend, call: SingleCall, options: GrpcOptions): void {
  const { procedure, limits, inputs } = call;
  const codec = codecOf(procedure);
  // Before the exchange begins: a message that cannot be encoded leaves none behind.
  const isAtHand = Array.isArray(inputs) && inputs.length === 1;
  const content = isAtHand ? envelope(0, encodeMessage(procedure.input, codec, inputs[0])) : undefined;
  const response = new GrpcResponse(options.maxMessageSize ?? defaultMaxMessageSize);
  const single = new SingleExchange(call, codec, response);
  const exchange = backend.exchange(requestOf(call, codec, options), { key: "", stickTo: "", tried: [] }, response);
  single.exchange = exchange;
  limits.cancels(single);
  if (content === undefined) {
    send(exchange, call, codec).catch((error: unknown) => single.cancel(inputsFailed(error)));
  } else {
    exchange.sendContent(content);
    exchange.endContent(noFields);
  }
}

/** One attempt of a call that is answered by one message. */
class SingleExchange implements Cancelable {
  /** `undefined` while it begins: the answer may come meanwhile. */
  exchange: WebExchange | undefined;
  readonly #call: SingleCall;
  readonly #codec: MessageCodec;
  readonly #response: GrpcResponse;

  constructor(call: SingleCall, codec: MessageCodec, response: GrpcResponse) {
    this.#call = call;
    this.#codec = codec;
    this.#response = response;
    response.receiveOne(() => this.#over());
  }

  cancel(reason: RpcError): void {
    this.exchange?.cancel();
    this.#response.fail(reason);
  }

  #over(): void {
    this.exchange?.cancel();
    const call = this.#call;
    const response = this.#response;
    try {
      const headers = call.headersCame === ignoreMetadata ? undefined : response.headers;
      if (headers !== undefined) call.headersCame(headers);
      const message = response.only();
      if (call.trailersCame !== ignoreMetadata) call.trailersCame(response.trailers);
      if (isPromiseLike(message)) this.#whenOpened(message);
      else call.answered(this.#decoded(message));
    } catch (error) {
      call.failed(error instanceof Error ? error : new RpcError("internal"));
    }
  }

  #whenOpened(message: Promise<Uint8Array>): void {
    message
      .then((bytes) => this.#decoded(bytes))
      .then(
        (decoded) => this.#call.answered(decoded),
        (error: unknown) => this.#call.failed(error),
      );
  }

  #decoded(bytes: Uint8Array): unknown {
    return decodeMessage(this.#call.procedure.output, this.#codec, bytes);
  }
}

function inputsFailed(error: unknown): RpcError {
  return error instanceof RpcError ? error : new RpcError("canceled", "the inputs failed", { cause: error });
}

function codecOf({ input, output }: Procedure): MessageCodec {
  return input.binary !== undefined && output.binary !== undefined ? "proto" : "json";
}

const defaultMaxMessageSize = 4 * 1024 * 1024;

async function send(exchange: WebExchange, call: OutgoingCall, codec: MessageCodec): Promise<void> {
  for await (const input of call.inputs) {
    const isTaken = exchange.sendContent(envelope(0, encodeMessage(call.procedure.input, codec, input)));
    if (!isTaken) await exchange.writable();
  }
  exchange.endContent(noFields);
}

function requestOf(
  call: OutgoingCall,
  codec: MessageCodec,
  { authority = "", scheme = "http" }: GrpcOptions,
): BackendRequest {
  const ms = Math.ceil(call.timeout);
  return {
    method: "POST",
    scheme,
    authority,
    target: call.path,
    received: noFields,
    dropped,
    added: [
      ...["content-type", `application/grpc+${codec}`, "te", "trailers", "grpc-accept-encoding", acceptedCodings],
      // The field has eight digits at most; longer than a day is as good as none.
      ...(ms < 1e8 ? ["grpc-timeout", `${Math.max(1, ms)}m`] : []),
      ...call.metadata.list,
    ],
    contentSize: undefined,
    // The deadline of the call is the limit.
    timeouts: { readTimeout: Infinity, writeTimeout: Infinity },
  };
}

const dropped = new FieldNames(connectionFields);
