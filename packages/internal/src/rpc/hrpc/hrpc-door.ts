// The door of calls that come by hrpc.

import { isPromiseLike } from "@hemi/common";
import { Metadata, RpcError, streamsOut, type CalledStream, type Transport } from "@hemi/common/rpc";
import type { Peer } from "../../net/peer.ts";
import type { Trace } from "../../operator/trace.ts";
import type { Request } from "../../web/request/request.ts";
import type { Call, CallOrigin } from "../call.ts";
import type { CallDoor } from "../call-door.ts";
import { withErrorMetadata } from "../error-metadata.ts";
import type { Identity } from "../identity.ts";
import type { CallExchan } from "./call-exchan.ts";
import type { HrpcOrigin } from "./hrpc-origin.ts";
import type { ServedProcedure } from "../served-bundlet.ts";

export class HrpcDoor implements CallDoor, CallOrigin {
  readonly req: Request | undefined;
  readonly peer: Peer | undefined;
  readonly caller: Transport;
  readonly #identity: Identity;
  readonly #stream: CalledStream;
  readonly #served: ServedProcedure;
  readonly #exchan: CallExchan | undefined;
  #hasBegun = false;

  constructor(stream: CalledStream, served: ServedProcedure, { peer, caller, identity, exchan }: HrpcOrigin) {
    this.req = exchan?.req;
    this.#exchan = exchan;
    this.peer = peer;
    this.#identity = identity;
    this.caller = caller;
    this.#stream = stream;
    this.#served = served;
  }

  get trace(): Trace | undefined {
    return this.req?.sampledTrace;
  }

  readIdentity(): Identity {
    return this.#identity;
  }

  readMetadata(): Metadata {
    // Rules may have replaced what the client has said.
    if (this.req !== undefined) return Metadata.received(this.req.headers);
    const { metadata } = this.#stream.head;
    return metadata.isEmpty ? new Metadata() : metadata;
  }

  receive(): unknown {
    const only = this.#stream.takeOnly();
    // Messages of protobuf keep parts of what they are made of.
    if (only !== undefined) return this.#decode(this.#stream.head.codec === "proto" ? new Uint8Array(only) : only);
    const next = this.#stream.receive();
    return isPromiseLike(next) ? next.then((bytes) => this.#decode(bytes)) : this.#decode(next);
  }

  #decode(bytes: Uint8Array | undefined): unknown {
    return bytes === undefined ? undefined : this.#served.decodeInput(this.#stream.head.codec, bytes);
  }

  send(message: unknown, call: Call): void | Promise<void> {
    const checked = this.#served.checkOutput(message);
    if (isPromiseLike(checked)) return Promise.resolve(checked).then((message) => this.#send(message, call));
    return this.#send(checked, call);
  }

  #send(message: unknown, call: Call): void | Promise<void> {
    // The call may have ended while the message was checked.
    if (this.#stream.isOver) return;
    this.#sendHeaders(call);
    const serialized = this.#served.serializeOutput(this.#stream.head.codec, message);
    const isAll = !streamsOut(this.#served.procedure.kind) && call.ownTrailers === undefined;
    if (isAll && this.#stream.answer(serialized)) return;
    return this.#stream.send(serialized);
  }

  #sendHeaders({ ownHeaders }: Call): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const headers = this.#exchan?.headers;
    if (headers === undefined || headers.isEmpty) {
      if (ownHeaders !== undefined) this.#stream.sendHeaders(ownHeaders);
      return;
    }
    if (ownHeaders !== undefined) headers.addAll(ownHeaders);
    this.#stream.sendHeaders(headers);
  }

  finish(error: RpcError | undefined, call: Call): void {
    // The answer may have ended it.
    if (!this.#stream.isOver) {
      this.#sendHeaders(call);
      this.#stream.finish({ error, trailers: withErrorMetadata(call.ownTrailers, error) });
    }
    this.#exchan?.end(error);
  }

  abandon(): void {
    this.#exchan?.abandon();
    this.#stream.finish({ error: new RpcError("internal"), trailers: withErrorMetadata(undefined, undefined) });
  }
}
