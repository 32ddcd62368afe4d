// What implements a bundlet: a function for each procedure, whose types follow from the declaration.

import type { GivenOf, Procedure, Procedures, TakenOf } from "@hemi/common/rpc";
import type { Call } from "./call.ts";

/** The functions of a bundlet, by the names of its procedures. */
export type Implementation<Declared extends Procedures> = {
  readonly [Name in keyof Declared]: Implemented<Declared[Name]>;
};

/**
 * The function of a procedure. Streams are async iterables, in and out; an async generator is the simplest way to send
 * one. An RpcError that it throws is sent to the client; whatever else it throws is `internal` to the client, and a
 * line in the error log.
 */
export type Implemented<Declared extends Procedure> =
  Declared extends Procedure<infer Kind, infer Input, infer Output>
    ? {
        unary: (input: TakenOf<Input>, call: Call) => GivenOf<Output> | Promise<GivenOf<Output>>;
        server_streaming: (input: TakenOf<Input>, call: Call) => AsyncIterable<GivenOf<Output>>;
        client_streaming: (
          inputs: AsyncIterable<TakenOf<Input>>,
          call: Call,
        ) => GivenOf<Output> | Promise<GivenOf<Output>>;
        bidi_streaming: (inputs: AsyncIterable<TakenOf<Input>>, call: Call) => AsyncIterable<GivenOf<Output>>;
      }[Kind]
    : never;

/**
 * Stands between the door of a call and its procedure, for all procedures of a bundlet. `input` is a message, or an
 * async iterable of messages; `next` returns what the procedure does: a message, a promise of one, or an async
 * iterable.
 * An interceptor returns something of the same form, and may throw an RpcError instead.
 */
export type Interceptor = (call: Call, input: unknown, next: (input: unknown) => unknown) => unknown;

/** Limits of one procedure. What is left out is as the props of the handlet or server say. */
export interface ProcedureLimits {
  /** Of each message, in bytes, decompressed. More: `resource_exhausted`. */
  readonly maxMessageSize?: number;
  /** So many calls at a time. One more: `resource_exhausted`. */
  readonly maxCalls?: number;
  /** Calls a second, in each worker; so many may come at once after a pause. One more: `resource_exhausted`. */
  readonly maxRate?: number;
  /** In ms, for a whole call. After that: `deadline_exceeded`. */
  readonly maxTime?: number;
}

/** What `implement` takes beside the functions. */
export interface ImplementOptions<Names extends PropertyKey = string> {
  /** By the names of procedures. */
  readonly limits?: { readonly [Name in Names]?: ProcedureLimits };
  /** The first one is the outermost. Default: none. */
  readonly interceptors?: readonly Interceptor[];
}
