// A server stream of google.api.HttpBody: the pieces of one content, whose media type the first one has.

import { isPromiseLike } from "@hemi/common";
import type { ProcedureKind, RpcError } from "@hemi/common/rpc";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";
import type { Call } from "../call.ts";
import type { FoundRoute } from "../http-rules/http-routes.ts";
import type { RpcSettings } from "../rpc-props.ts";
import { ConnectUnaryDoor } from "./connect-unary-door.ts";
import { addHeaders } from "./http-door.ts";

export class RawStreamDoor extends ConnectUnaryDoor {
  readonly #binding: FoundRoute["binding"];

  constructor(req: Request, resp: Response, settings: RpcSettings, route: FoundRoute) {
    super(req, resp, settings, "json", route);
    this.#binding = route.binding;
  }

  override takes(kind: ProcedureKind): boolean {
    return kind === "server_streaming";
  }

  override send(message: unknown, call: Call): void | Promise<void> {
    const checked = this.check(message);
    if (isPromiseLike(checked)) return Promise.resolve(checked).then((message) => this.#sendPiece(message, call));
    return this.#sendPiece(checked, call);
  }

  #sendPiece(message: unknown, call: Call): void | Promise<void> {
    const { contentType, data } = this.#binding.rawAnswer(message);
    this.#begin(call, contentType);
    return data.length === 0 ? undefined : this.resp.echo(data);
  }

  /** One that fails after its first piece breaks off, so that nobody takes what has come for the whole. */
  override finish(error: RpcError | undefined, call: Call | undefined): void {
    if (error !== undefined && this.resp.isHeadSent) return this.resp.abort();
    if (error !== undefined || call === undefined) return super.finish(error, call);
    this.#begin(call, "application/octet-stream");
    this.resp.end();
  }

  #begin(call: Call, contentType: string): void {
    if (this.resp.isHeadSent) return;
    this.resp.setHeader("content-type", contentType);
    addHeaders(this.resp, call.ownHeaders);
  }
}
