// What all doors over HTTP have in common: the request, its codec, and the way from messages to bytes.

import { Metadata, RpcError, type MessageCodec, type ProcedureKind } from "@hemi/common/rpc";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";
import type { Peer } from "../../net/peer.ts";
import type { Trace } from "../../operator/trace.ts";
import type { Call, CallOrigin } from "../call.ts";
import type { CallDoor } from "../call-door.ts";
import { Identity } from "../identity.ts";
import type { RpcSettings } from "../rpc-props.ts";
import type { ServedProcedure } from "../served-bundlet.ts";

export abstract class HttpDoor implements CallDoor, CallOrigin {
  readonly req: Request;
  /** HTTP knows no calls from the server. */
  readonly caller = undefined;
  protected readonly resp: Response;
  protected readonly settings: RpcSettings;
  protected readonly codec: MessageCodec;
  /** Of the client's messages, in bytes. */
  protected maxMessageSize: number;
  #served: ServedProcedure | undefined;

  constructor(req: Request, resp: Response, settings: RpcSettings, codec: MessageCodec) {
    this.req = req;
    this.resp = resp;
    this.settings = settings;
    this.codec = codec;
    this.maxMessageSize = settings.maxMessageSize;
  }

  abstract receive(): unknown;
  abstract send(message: unknown, call: Call): void | Promise<void>;
  /** Sends the end. `call`: `undefined` for one that never began. */
  abstract finish(error: RpcError | undefined, call: Call | undefined): void;
  /** The kinds of procedures that can be called by it. */
  abstract takes(kind: ProcedureKind): boolean;
  /** What the client asks for, in ms; Infinity: nothing. Throws RpcError. */
  abstract readTimeout(): number;

  get peer(): Peer {
    return this.req.peer;
  }

  get trace(): Trace | undefined {
    return this.req.sampledTrace;
  }

  readIdentity(): Identity {
    return new Identity(this.req, this.req.tls);
  }

  readMetadata(): Metadata {
    return Metadata.received(this.req.headers);
  }

  /** A call of this procedure begins. Throws RpcError if it cannot be called like this. */
  serve(served: ServedProcedure): void {
    this.#served = served;
    const { input, output, kind } = served.procedure;
    this.maxMessageSize = served.limits.maxMessageSize ?? this.settings.maxMessageSize;
    if (this.codec === "proto" && (input.binary === undefined || output.binary === undefined)) {
      throw new RpcError("unimplemented", "this procedure is not declared in protobuf: its messages travel as JSON");
    }
    if (!this.takes(kind)) throw new RpcError("unimplemented", `this protocol has no ${kind} procedures`);
  }

  /** The message in these bytes, checked. */
  protected decode(bytes: Uint8Array): unknown {
    return this.#procedure.decodeInput(this.codec, bytes);
  }

  /** The output of a procedure, checked. Throws an Error if it is invalid: that is not the client's fault. */
  protected check(message: unknown): unknown {
    return this.#procedure.checkOutput(message);
  }

  /** A checked message as bytes. */
  protected encode(message: unknown): Uint8Array {
    return this.#procedure.encodeOutput(this.codec, message);
  }

  /** The same in memory that is used again: see `encodeShared` of `BinaryForm`. */
  protected encodeShared(message: unknown): Uint8Array | undefined {
    return this.codec === "proto" ? this.#procedure.procedure.output.binary?.encodeShared?.(message) : undefined;
  }

  /** A checked message as JSON. */
  protected stringify(message: unknown): string {
    return this.#procedure.procedure.output.stringify(message);
  }

  abandon(): void {
    this.resp.abort();
  }

  get #procedure(): ServedProcedure {
    if (this.#served === undefined) throw new Error("a door has no messages before its call has begun");
    return this.#served;
  }
}

/** Adds metadata to the head of a response. */
export function addHeaders(resp: Response, metadata: Metadata | undefined): void {
  if (metadata === undefined) return;
  for (const [name, value] of metadata) resp.addHeader(name, value);
}

/** Calls back with each name once; several values are joined, as fields allow. */
export function eachJoined(
  metadata: Iterable<readonly [string, string]>,
  take: (name: string, value: string) => void,
): void {
  const joined = new Map<string, string>();
  for (const [name, value] of metadata) {
    const earlier = joined.get(name);
    joined.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  for (const [name, value] of joined) take(name, value);
}
