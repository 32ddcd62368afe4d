// A server stream as one array of JSON, for paths of google.api.http: each message is an item. A stream that fails
// after its first message breaks off, so that nobody takes what has come for the whole.

import { isPromiseLike } from "@hemi/common";
import type { ProcedureKind, RpcError } from "@hemi/common/rpc";
import type { Call } from "../call.ts";
import { ConnectUnaryDoor } from "./connect-unary-door.ts";
import { addHeaders } from "./http-door.ts";

export class JsonArrayDoor extends ConnectUnaryDoor {
  #hasItems = false;

  override takes(kind: ProcedureKind): boolean {
    return kind === "server_streaming";
  }

  override send(message: unknown, call: Call): void | Promise<void> {
    const checked = this.check(message);
    if (isPromiseLike(checked)) return Promise.resolve(checked).then((message) => this.#sendItem(message, call));
    return this.#sendItem(checked, call);
  }

  #sendItem(message: unknown, call: Call): void | Promise<void> {
    const item = this.stringify(message);
    this.#begin(call);
    const separator = this.#hasItems ? "," : "[";
    this.#hasItems = true;
    return this.resp.echo(separator + item);
  }

  override finish(error: RpcError | undefined, call: Call | undefined): void {
    if (error !== undefined && this.#hasItems) return this.resp.abort();
    if (error !== undefined || call === undefined) return super.finish(error, call);
    this.#begin(call);
    void this.resp.echo(this.#hasItems ? "]" : "[]");
    this.resp.end();
  }

  #begin(call: Call): void {
    if (this.resp.isHeadSent) return;
    this.resp.setHeader("content-type", "application/json");
    addHeaders(this.resp, call.ownHeaders);
  }
}
