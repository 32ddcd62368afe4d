// Connect for procedures that stream: messages in envelopes, and the status in the last one
// (https://connectrpc.com/docs/protocol/#streaming-rpcs).

import { RpcError, type ProcedureKind, endOfStreamToJson, envelope, type MessageCodec } from "@hemi/common/rpc";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";
import type { Call } from "../call.ts";
import { acceptedCodings } from "../message-codings.ts";
import type { RpcSettings } from "../rpc-props.ts";
import { EnvelopedDoor } from "./enveloped-door.ts";
import { withErrorMetadata } from "../error-metadata.ts";
import { addHeaders } from "./http-door.ts";
import { connectTimeout } from "./timeouts.ts";

/** The last message: it tells how the stream ended. */
const endFlag = 0x02;

export class ConnectStreamDoor extends EnvelopedDoor {
  constructor(req: Request, resp: Response, settings: RpcSettings, codec: MessageCodec) {
    super(req, resp, settings, codec, { coding: "connect-content-encoding", accepted: "connect-accept-encoding" });
  }

  override takes(kind?: ProcedureKind): boolean {
    return kind !== "unary";
  }

  override readTimeout(): number {
    checkVersion(this.req);
    return connectTimeout(this.req.header("connect-timeout-ms"));
  }

  protected override begin(call: Call | undefined): void {
    const { resp } = this;
    if (resp.isHeadSent) return;
    const fields = ["content-type", `application/connect+${this.codec}`, "connect-accept-encoding", acceptedCodings];
    if (this.ownCoding !== undefined) fields.push("connect-content-encoding", this.ownCoding.name);
    resp.setTrustedFields(fields);
    addHeaders(resp, call?.ownHeaders);
  }

  override finish(error: RpcError | undefined, call: Call | undefined): void {
    this.begin(call);
    this.flush();
    const trailers = withErrorMetadata(call?.ownTrailers, error);
    void this.resp.echo(envelope(endFlag, Buffer.from(endOfStreamToJson(error, trailers))));
    this.resp.end();
  }
}

/** Throws RpcError `invalid_argument` for a version of the protocol that is not 1. */
export function checkVersion(req: Request): void {
  const version = req.header("connect-protocol-version");
  if (version !== undefined && version !== "1") {
    throw new RpcError("invalid_argument", `connect-protocol-version is 1, not ${version.slice(0, 40)}`);
  }
}
