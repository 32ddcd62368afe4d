// A server stream as server-sent events, for `EventSource` of browsers: each message is an event with its JSON.
//
//   data: {"count":3}          a message, with `id:` if the procedure gives it one (`call.eventId`)
//   event: end                 the end of the stream, as Connect has it: data: {} or {"error":{"code":…}}

import { isPromiseLike } from "@hemi/common";
import { type ProcedureKind, type RpcError, endOfStreamToJson } from "@hemi/common/rpc";
import type { Call } from "../call.ts";
import { ConnectUnaryDoor } from "./connect-unary-door.ts";
import { withErrorMetadata } from "../error-metadata.ts";
import { addHeaders } from "./http-door.ts";

export class EventStreamDoor extends ConnectUnaryDoor {
  override takes(kind: ProcedureKind): boolean {
    return kind === "server_streaming";
  }

  override send(message: unknown, call: Call): void | Promise<void> {
    const checked = this.check(message);
    if (isPromiseLike(checked)) return Promise.resolve(checked).then((message) => this.#sendEvent(message, call));
    return this.#sendEvent(checked, call);
  }

  #sendEvent(message: unknown, call: Call): void | Promise<void> {
    this.#begin(call);
    const { eventId } = call;
    call.eventId = undefined;
    // A line end would begin another field; an id with NUL is ignored by browsers.
    const id = eventId === undefined || /[\r\n\0]/.test(eventId) ? "" : `id: ${eventId}\n`;
    // JSON has no line ends.
    return this.resp.echo(`${id}data: ${this.stringify(message)}\n\n`);
  }

  override finish(error: RpcError | undefined, call: Call | undefined): void {
    // A status that is not 200 keeps browsers from asking again.
    if (call === undefined || (error !== undefined && !this.resp.isHeadSent)) return super.finish(error, call);
    this.#begin(call);
    void this.resp.echo(
      `event: end\ndata: ${endOfStreamToJson(error, withErrorMetadata(call.ownTrailers, error))}\n\n`,
    );
    this.resp.end();
  }

  #begin(call: Call): void {
    if (this.resp.isHeadSent) return;
    this.resp.setHeader("content-type", "text/event-stream");
    this.resp.setHeader("cache-control", "no-store");
    addHeaders(this.resp, call.ownHeaders);
  }
}
