// The error of a call: the only kind of error whose text reaches the other end.

import type { RpcCode } from "./codes.ts";

/** More about an error, for programs: a protobuf message (google.protobuf.Any). See `errorDetail` of `/proto`. */
export interface ErrorDetail {
  /** The full name of the message type: `google.rpc.RetryInfo`. */
  readonly type: string;
  /** The message, encoded. */
  readonly value: Uint8Array;
}

/** Metadata that came with an error, or goes with it: see `Metadata`. */
export interface ErrorMetadata extends Iterable<readonly [name: string, value: string]> {
  /** The first value of a name, as text. */
  get(name: string): string | undefined;
  /** All values of a name, as texts. */
  getAll(name: string): string[];
}

/** What `RpcError` takes beside code and message. */
export interface RpcErrorOptions extends ErrorOptions {
  /** Default: none. */
  readonly details?: readonly ErrorDetail[];
  /** Sent with the error, as trailers. Default: none. */
  readonly metadata?: ErrorMetadata | undefined;
}

/**
 * A call has failed. Thrown by a procedure: code, message, details and metadata are sent to the client. Whatever else a
 * procedure throws is `internal` to the client, without a text.
 */
export class RpcError extends Error {
  override readonly name = "RpcError";
  /** Why, in one word. */
  readonly code: RpcCode;
  /** More about it, for programs. */
  readonly details: readonly ErrorDetail[];
  /** At the client: headers and trailers of the response. */
  readonly metadata: ErrorMetadata | undefined;

  constructor(code: RpcCode, message = "", options: RpcErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.details = options.details ?? [];
    this.metadata = options.metadata;
  }
}
