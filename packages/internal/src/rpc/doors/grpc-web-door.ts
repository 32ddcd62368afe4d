// gRPC-Web: gRPC for browsers, which see no trailers. The status is the last message of the content.

import { type RpcError, type ProcedureKind, envelope, type MessageCodec } from "@hemi/common/rpc";
import { isPromiseLike } from "@hemi/common";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";
import type { Call } from "../call.ts";
import type { RpcSettings } from "../rpc-props.ts";
import { Base64Pieces } from "./base64-pieces.ts";
import { GrpcDoor } from "./grpc-door.ts";
import { eachTrailer } from "./grpc-fields.ts";
import { trailersFlag } from "./trailers-flag.ts";

export class GrpcWebDoor extends GrpcDoor {
  /** For `grpc-web-text`: all content is base64, in both directions. */
  readonly #text: Base64Pieces | undefined;

  constructor(
    req: Request,
    resp: Response,
    settings: RpcSettings,
    codec: MessageCodec,
    contentType: string,
    isText: boolean,
  ) {
    super(req, resp, settings, codec, contentType);
    this.#text = isText ? new Base64Pieces() : undefined;
  }

  override takes(kind?: ProcedureKind): boolean {
    // Browsers cannot stream requests, but other clients can, and half-duplex is possible in any case.
    return kind !== undefined;
  }

  protected override nextPiece(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const text = this.#text;
    if (text === undefined) return super.nextPiece();
    const piece = super.nextPiece();
    return isPromiseLike(piece) ? piece.then((piece) => text.decode(piece)) : text.decode(piece);
  }

  protected override sendEnvelope(flags: number, bytes: Uint8Array): void | Promise<void> {
    if (this.#text === undefined) return super.sendEnvelope(flags, bytes);
    return this.resp.echo(Buffer.from(envelope(flags, bytes)).toString("base64"));
  }

  override finish(error: RpcError | undefined, call: Call | undefined): void {
    if (!this.resp.isHeadSent) this.setHead(call);
    let trailers = "";
    eachTrailer(error, call, (name, value) => (trailers += `${name}: ${value}\r\n`));
    void this.sendEnvelope(trailersFlag, Buffer.from(trailers, "latin1"));
    this.flush();
    this.resp.end();
  }
}
