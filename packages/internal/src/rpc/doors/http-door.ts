// What all doors over HTTP have in common: the request, its codec, and the way from messages to bytes.

import { Metadata, RpcError, type MessageType, type ProcedureKind } from "@hemi/rpc-client";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";
import type { Peer } from "../../net/peer.ts";
import type { Call, CallOrigin } from "../call.ts";
import type { CallDoor } from "../call-door.ts";
import type { RpcSettings } from "../rpc-props.ts";
import type { ServedProcedure } from "../served-bundlet.ts";

/** How messages are encoded. */
export type MessageCodec = "proto" | "json";

export abstract class HttpDoor implements CallDoor, CallOrigin {
  readonly req: Request;
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
    const { input } = this.#procedure;
    if (this.codec === "proto" && input.binary !== undefined) return decoded(() => input.binary?.decode(bytes), input);
    return input.check(decoded(() => input.parse(utf8.decode(bytes)), input));
  }

  /** The output of a procedure, checked. Throws an Error if it is invalid: that is not the client's fault. */
  protected check(message: unknown): unknown {
    try {
      const checked = this.#procedure.output.check(message);
      return checked instanceof Promise ? checked.catch(this.#invalidOutput) : checked;
    } catch (error) {
      return this.#invalidOutput(error);
    }
  }

  /** A checked message as bytes. */
  protected encode(message: unknown): Uint8Array {
    const { output } = this.#procedure;
    if (this.codec === "proto" && output.binary !== undefined) return output.binary.encode(message);
    return Buffer.from(output.stringify(message));
  }

  /** A checked message as JSON. */
  protected stringify(message: unknown): string {
    return this.#procedure.output.stringify(message);
  }

  abandon(): void {
    this.resp.abort();
  }

  get #procedure(): ServedProcedure["procedure"] {
    if (this.#served === undefined) throw new Error("a door has no messages before its call has begun");
    return this.#served.procedure;
  }

  readonly #invalidOutput = (error: unknown): never => {
    const { path } = this.#served ?? { path: "" };
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${path} returned an invalid message: ${reason}`, { cause: error });
  };
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

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decoded(decode: () => unknown, { typeName }: MessageType): unknown {
  try {
    return decode();
  } catch (error) {
    if (error instanceof RpcError) throw error;
    const what = typeName === undefined ? "a message" : `a message of type ${typeName}`;
    throw new RpcError("invalid_argument", `${what} cannot be decoded`, { cause: error });
  }
}
