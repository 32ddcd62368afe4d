// Connect for unary procedures: a plain POST or GET with one message in and out, and the status of HTTP
// (https://connectrpc.com/docs/protocol/#unary-rpcs). Whoever sends JSON to the path of a procedure speaks it, too.

import { isPromiseLike } from "@hemi/common";
import {
  RpcError,
  type MessageCodec,
  type ProcedureKind,
  errorToJson,
  fromBase64,
  httpStatusOf,
  tooLarge,
} from "@hemi/common/rpc";
import { GatheredBytes } from "../../web/content/gathered-bytes.ts";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";
import type { Call } from "../call.ts";
import type { FoundRoute } from "../http-rules/http-routes.ts";
import { acceptedCodings, codingAccepted, codingNamed, type MessageCoding } from "../message-codings.ts";
import type { RpcSettings } from "../rpc-props.ts";
import type { ServedProcedure } from "../served-bundlet.ts";
import { withErrorMetadata } from "../error-metadata.ts";
import { checkVersion } from "./connect-stream-door.ts";
import { addHeaders, eachJoined, HttpDoor } from "./http-door.ts";
import { connectTimeout } from "./timeouts.ts";

/** A request whose path is that of an annotation (google.api.http) comes by it, too: see `FoundRoute`. */
export class ConnectUnaryDoor extends HttpDoor {
  readonly #route: FoundRoute | undefined;
  readonly #content = new GatheredBytes();
  #isReceived = false;
  #coding: MessageCoding | undefined;
  #answer: Uint8Array | undefined;
  #answerCoding: MessageCoding | undefined;
  /** Of an answer that is no message (google.api.HttpBody). */
  #answerType: string | undefined;

  constructor(req: Request, resp: Response, settings: RpcSettings, codec: MessageCodec, route?: FoundRoute) {
    super(req, resp, settings, codec);
    this.#route = route;
  }

  /** Whether the message is in the query, as Connect has it. */
  get #isInQuery(): boolean {
    return this.req.method === "GET" && this.#route === undefined;
  }

  override takes(kind: ProcedureKind): boolean {
    return kind === "unary";
  }

  override readTimeout(): number {
    checkVersion(this.req);
    return connectTimeout(this.req.header("connect-timeout-ms"));
  }

  override serve(served: ServedProcedure): void {
    super.serve(served);
    const { req } = this;
    this.#coding = codingNamed(this.#isInQuery ? req.query("compression") : req.header("content-encoding"));
    if (this.#isInQuery && served.procedure.idempotency !== "no_side_effects") {
      throw new RpcError("unimplemented", "a procedure with side effects cannot be called by GET");
    }
    const { size } = req.content;
    if (size !== undefined && size > this.maxMessageSize) throw tooLarge(size, this.maxMessageSize);
    // The deadline of the call is the limit.
    this.resp.limitHandling(Infinity);
  }

  // ---- in ----

  override receive(): unknown {
    if (this.#isReceived) return undefined;
    const message = this.#isInQuery ? this.#messageOfQuery() : this.#readContent();
    return isPromiseLike(message) ? message.then((bytes) => this.#opened(bytes)) : this.#opened(message);
  }

  #opened(bytes: Uint8Array): unknown {
    this.#isReceived = true;
    if (this.#coding === undefined || bytes.length === 0) return this.#decompressed(bytes);
    return this.#coding.decompress(bytes, this.maxMessageSize).then((bytes) => this.#decompressed(bytes));
  }

  #decompressed(bytes: Uint8Array): unknown {
    const route = this.#route;
    // An empty request is an empty message of protobuf, and in JSON as good as one.
    if (route === undefined) return this.decode(orEmpty(bytes, this.codec));
    const type = this.req.header("content-type") ?? "";
    return route.binding.decode(route.segments, this.req.queryString, bytes, type);
  }

  #messageOfQuery(): Uint8Array {
    const { req } = this;
    const text = req.query("message") ?? "";
    if (req.query("base64") !== "1") return Buffer.from(text);
    const bytes = fromBase64(text);
    if (bytes === undefined) throw new RpcError("invalid_argument", "the parameter message is not base64");
    return bytes;
  }

  /** All of it; without a promise where it is here. */
  #readContent(): Uint8Array | Promise<Uint8Array> {
    for (;;) {
      const piece = this.req.content.next();
      if (isPromiseLike(piece)) {
        return piece.then((piece) => (this.#take(piece) ? this.#readContent() : this.#content.bytes()));
      }
      if (!this.#take(piece)) return this.#content.bytes();
    }
  }

  #take(piece: Uint8Array | undefined): boolean {
    if (piece === undefined) return false;
    this.#content.add(piece);
    if (this.#content.size > this.maxMessageSize) throw tooLarge(undefined, this.maxMessageSize);
    return true;
  }

  // ---- out ----

  override send(message: unknown, _call: Call): void | Promise<void> {
    const checked = this.check(message);
    if (isPromiseLike(checked)) return Promise.resolve(checked).then((message) => this.#encodeAnswer(message));
    return this.#encodeAnswer(checked);
  }

  protected override stringify(message: unknown): string {
    const json = super.stringify(message);
    return this.#route === undefined ? json : this.#route.binding.answer(json);
  }

  protected override encode(message: unknown): Uint8Array {
    return this.#route === undefined ? super.encode(message) : Buffer.from(this.stringify(message));
  }

  #encodeAnswer(message: unknown): void | Promise<void> {
    const bytes = this.#contentOf(message);
    this.#answer = bytes;
    const { compress, minCompressedSize } = this.settings;
    if (!compress || bytes.length < minCompressedSize) return;
    const coding = codingAccepted(this.req.header("accept-encoding"));
    if (coding === undefined) return;
    return coding.compress(bytes).then((compressed) => {
      this.#answer = compressed;
      this.#answerCoding = coding;
    });
  }

  #contentOf(message: unknown): Uint8Array {
    const binding = this.#route?.binding;
    if (binding?.givesRaw !== true) return this.encode(message);
    const { contentType, data } = binding.rawAnswer(message);
    this.#answerType = contentType;
    return data;
  }

  override finish(error: RpcError | undefined, call: Call | undefined): void {
    const { resp } = this;
    addHeaders(resp, call?.ownHeaders);
    eachJoined(withErrorMetadata(call?.ownTrailers, error), (name, value) => resp.addHeader(`trailer-${name}`, value));
    if (error !== undefined) return this.#sendError(error);
    resp.setHeader("content-type", this.#answerType ?? `application/${this.codec}`);
    if (this.settings.compress) resp.addHeader("vary", "accept-encoding");
    if (this.#answerCoding !== undefined) resp.setHeader("content-encoding", this.#answerCoding.name);
    resp.send(this.#answer);
  }

  #sendError(error: RpcError): void {
    const { resp } = this;
    resp.status = httpStatusOf(error.code);
    resp.setHeader("content-type", "application/json");
    if (error.code === "unimplemented") resp.setHeader("accept-encoding", acceptedCodings);
    resp.send(JSON.stringify(errorToJson(error)));
  }
}

const emptyObject = Buffer.from("{}");

function orEmpty(bytes: Uint8Array, codec: string): Uint8Array {
  return bytes.length === 0 && codec === "json" ? emptyObject : bytes;
}
