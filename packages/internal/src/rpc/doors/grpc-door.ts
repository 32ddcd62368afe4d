// gRPC: all kinds of procedures, over HTTP/2, with the status in trailers.

import type { RpcError, MessageCodec } from "@hemi/common/rpc";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";
import type { Call } from "../call.ts";
import { acceptedCodings } from "../message-codings.ts";
import type { RpcSettings } from "../rpc-props.ts";
import { EnvelopedDoor, type CodingFields } from "./enveloped-door.ts";
import { eachTrailer } from "./grpc-fields.ts";
import { addHeaders } from "./http-door.ts";
import { grpcTimeout } from "./timeouts.ts";

export class GrpcDoor extends EnvelopedDoor {
  readonly #contentType: string;

  /** `contentType`: of the request, which the response repeats. */
  constructor(req: Request, resp: Response, settings: RpcSettings, codec: MessageCodec, contentType: string) {
    super(req, resp, settings, codec, grpcCodingFields);
    this.#contentType = contentType;
  }

  override readTimeout(): number {
    return grpcTimeout(this.req.header("grpc-timeout"));
  }

  protected override begin(call: Call): void {
    if (!this.resp.isHeadSent) this.setHead(call);
  }

  protected setHead(call: Call | undefined): void {
    this.resp.setTrustedFields(headOf(this.#contentType, this.ownCoding?.name));
    addHeaders(this.resp, call?.ownHeaders);
  }

  override finish(error: RpcError | undefined, call: Call | undefined): void {
    const { resp } = this;
    if (resp.isHeadSent) {
      this.flush();
      eachTrailer(error, call, (name, value) => resp.setTrailer(name, value));
      return resp.end();
    }
    // Trailers-Only: the status is in the head, and there is no content.
    this.setHead(call);
    eachTrailer(error, call, (name, value) => resp.addHeader(name, value));
    resp.send();
  }
}

const grpcCodingFields: CodingFields = { coding: "grpc-encoding", accepted: "grpc-accept-encoding" };

/** By content type and coding; there are few. The same list for the same head, so that a codec can remember it. */
const heads = new Map<string, readonly string[]>();

/** The fields of a response's head. */
function headOf(contentType: string, coding: string | undefined): readonly string[] {
  const key = coding === undefined ? contentType : `${contentType} ${coding}`;
  let head = heads.get(key);
  if (head === undefined) {
    head = [
      ...["content-type", contentType, "grpc-accept-encoding", acceptedCodings],
      ...(coding === undefined ? [] : ["grpc-encoding", coding]),
    ];
    heads.set(key, head);
  }
  return head;
}
