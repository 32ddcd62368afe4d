// A bundlet with what implements it, ready to be called.

import {
  decodeMessage,
  encodeMessage,
  serializeMessage,
  wireNameOf,
  type Bundlet,
  type MessageCodec,
  type Procedure,
  type Procedures,
} from "@hemi/common/rpc";
import { TokenBucket } from "../http2/allowance.ts";
import type { Call } from "./call.ts";
import type { Implementation, ImplementOptions, Interceptor, ProcedureLimits } from "./implementation.ts";

/** A bundlet with its implementation. */
export interface ServedBundlet {
  /** What is declared: its name and its procedures, without functions. */
  readonly bundlet: Bundlet;
  /** One for each procedure of the bundlet, in the order in which they are declared. */
  readonly procedures: readonly ServedProcedure[];
}

/**
 * Implements a bundlet: `implement(stock, { find: ({ sku }, call) => ({ count: 3 }) })`. Throws TypeError if a
 * procedure has no function.
 */
export function implement<Declared extends Procedures>(
  bundlet: Bundlet<Declared>,
  implementation: Implementation<Declared>,
  options?: ImplementOptions<keyof Declared>,
): ServedBundlet;
export function implement(
  bundlet: Bundlet,
  implementation: Readonly<Record<string, unknown>>,
  { limits = {}, interceptors = [] }: ImplementOptions = {},
): ServedBundlet {
  const procedures = Object.entries(bundlet.procedures).map(([name, procedure]) => {
    const run = implementation[name];
    if (!isFunction(run)) throw new TypeError(`${bundlet.name} has a procedure ${name}, which nothing implements`);
    const path = `/${bundlet.name}/${wireNameOf(name, procedure)}`;
    const invoke = (input: unknown, call: Call): unknown => run.call(implementation, input, call);
    return new ServedProcedure(path, procedure, intercepted(invoke, interceptors), limits[name] ?? {});
  });
  return { bundlet, procedures };
}

/** Gives the input of a call to its procedure. Returns what the procedure does. */
export type Invoke = (input: unknown, call: Call) => unknown;

/** One procedure with its function. */
export class ServedProcedure {
  /** `/shop.v1.Stock/find`. */
  readonly path: string;
  /** What is declared: its kind, and how its messages are made and encoded. */
  readonly procedure: Procedure;
  /** Calls its function, through the interceptors. Throws what they throw. */
  readonly invoke: Invoke;
  /** Its own limits. Those that are left out are the ones of what serves it. */
  readonly limits: ProcedureLimits;
  /** How many calls are running. */
  calls = 0;
  /** What `maxRate` has left; `undefined`: there is no such limit. */
  readonly rate: TokenBucket | undefined;

  constructor(path: string, procedure: Procedure, invoke: Invoke, limits: ProcedureLimits) {
    this.path = path;
    this.procedure = procedure;
    this.invoke = invoke;
    this.limits = limits;
    const { maxRate } = limits;
    if (maxRate !== undefined) this.rate = new TokenBucket(maxRate, 1000, () => performance.now());
  }

  /** The message of a client, checked; a promise if its schema checks asynchronously. Throws RpcError. */
  decodeInput(codec: MessageCodec, bytes: Uint8Array): unknown {
    const { input } = this.procedure;
    const message = decodeMessage(input, codec, bytes);
    // What protobuf can decode is valid.
    return codec === "proto" ? message : input.check(message);
  }

  /** What the procedure gives, checked. Throws or rejects with an Error: an invalid one is not the client's fault. */
  checkOutput(message: unknown): unknown {
    try {
      const checked = this.procedure.output.check(message);
      return checked instanceof Promise ? checked.catch(this.#invalidOutput) : checked;
    } catch (error) {
      return this.#invalidOutput(error);
    }
  }

  /** A checked message of the procedure as bytes. */
  encodeOutput(codec: MessageCodec, message: unknown): Uint8Array {
    return encodeMessage(this.procedure.output, codec, message);
  }

  /** The same, where JSON may stay a text. */
  serializeOutput(codec: MessageCodec, message: unknown): Uint8Array | string {
    return serializeMessage(this.procedure.output, codec, message);
  }

  readonly #invalidOutput = (error: unknown): never => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${this.path} returned an invalid message: ${reason}`, { cause: error });
  };
}

function intercepted(invoke: Invoke, interceptors: readonly Interceptor[]): Invoke {
  return interceptors.reduceRight<Invoke>(
    (inner, interceptor) => (input, call) => interceptor(call, input, (input) => inner(input, call)),
    invoke,
  );
}

function isFunction(value: unknown): value is (this: unknown, input: unknown, call: Call) => unknown {
  return typeof value === "function";
}
