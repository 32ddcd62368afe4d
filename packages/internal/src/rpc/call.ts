// A call, as a procedure sees it: who calls, for how long the answer is wanted, and what goes beside the messages.

import { guardSignal } from "@hemi/common";
import { Metadata, type RpcError, type Transport } from "@hemi/common/rpc";
import type { ErrorLog } from "../log/error-log.ts";
import type { Peer } from "../net/peer.ts";
import type { Request } from "../web/request/request.ts";

/** What a call comes from: an HTTP request, or code in the same process. */
export interface CallOrigin {
  /** The HTTP request; `undefined` for a call inside the process. */
  readonly req: Request | undefined;
  /** What the client sent beside the messages. */
  readMetadata(): Metadata;
  /** The other end; `undefined` for a call inside the process. */
  readonly peer: Peer | undefined;
  /** Calls the client; `undefined` where the protocol cannot do that. */
  readonly caller: Transport | undefined;
}

/** The surroundings of a call. */
export interface CallSurroundings {
  readonly log: ErrorLog;
  /** Reports an error that has no other caller. */
  noteFault(error: unknown, req: Request | undefined): void;
}

/** One call of a procedure. */
export class Call {
  /** The procedure by its path: `/shop.v1.Stock/find`. */
  readonly path: string;
  /** The id of the message that a procedure sends next, for event streams: see `lastEventId`. `undefined`: none. */
  eventId: string | undefined;
  readonly #origin: CallOrigin;
  readonly #surroundings: CallSurroundings;
  /** In ms since the epoch. */
  readonly #deadline: number;
  #abort: AbortController | undefined;
  #canceled: RpcError | undefined;
  #metadata: Metadata | undefined;
  #headers: Metadata | undefined;
  #trailers: Metadata | undefined;

  /** For the engine. `deadline` in milliseconds since the epoch; Infinity: none. */
  constructor(path: string, origin: CallOrigin, surroundings: CallSurroundings, deadline: number) {
    this.path = path;
    this.#origin = origin;
    this.#surroundings = surroundings;
    this.#deadline = deadline;
  }

  /** The metadata of the client. */
  get metadata(): Metadata {
    return (this.#metadata ??= this.#origin.readMetadata());
  }

  /** Metadata for the client, sent before the first message: what is set later is not sent. */
  get headers(): Metadata {
    return (this.#headers ??= new Metadata());
  }

  /** Metadata for the client, sent after the last message, or with an error. */
  get trailers(): Metadata {
    return (this.#trailers ??= new Metadata());
  }

  /** For the engine: the headers, if there are any. */
  get ownHeaders(): Metadata | undefined {
    return this.#headers;
  }

  /** For the engine: the trailers, if there are any. */
  get ownTrailers(): Metadata | undefined {
    return this.#trailers;
  }

  /** The HTTP request that the call came by; `undefined` for a call inside the process. */
  get req(): Request | undefined {
    return this.#origin.req;
  }

  /** The other end of the connection; `undefined` for a call inside the process. */
  get peer(): Peer | undefined {
    return this.#origin.peer;
  }

  /**
   * The way back, for calls of procedures that the client serves: `makeClient(progress, call.caller)`. It lasts as long
   * as the connection. `undefined` where the protocol cannot do that: only hrpc can.
   */
  get caller(): Transport | undefined {
    return this.#origin.caller;
  }

  /** The log of the component that serves the call. */
  get log(): ErrorLog {
    return this.#surroundings.log;
  }

  /** When the answer is too late, in milliseconds since the epoch; Infinity: never. */
  get deadline(): number {
    return this.#deadline;
  }

  /** How long the answer is still wanted, in milliseconds, at least 0; Infinity: as long as it takes. */
  get timeLeft(): number {
    return Math.max(0, this.#deadline - Date.now());
  }

  /**
   * Aborts when the client cancels the call or leaves, when the deadline is over, and when the server gives the call
   * up. Its reason is an RpcError. Pass it on to whatever the procedure waits for.
   */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = (this.#abort = new AbortController());
      guardSignal(abort.signal, (error) => this.#surroundings.noteFault(error, this.req));
      if (this.#canceled !== undefined) abort.abort(this.#canceled);
    }
    return this.#abort.signal;
  }

  /**
   * The id of the last message that the client has got in an earlier call, if it wants the stream to go on behind it:
   * the `eventId` of that message.
   */
  get lastEventId(): string | undefined {
    return this.metadata.get("last-event-id");
  }

  /** For the engine: nobody wants the answer any more. */
  cancel(reason: RpcError): void {
    this.#canceled = reason;
    this.#abort?.abort(reason);
  }
}
