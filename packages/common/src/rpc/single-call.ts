// A call that is answered by one message: what leaves the client, what takes the answer, and what is repeated.

import type { CallLimits } from "./call-limits.ts";
import type { Metadata } from "./metadata.ts";
import type { OutgoingCall } from "./outgoing-call.ts";
import type { Procedure } from "./procedure.ts";
import type { Retries } from "./retries.ts";

/** What all calls of one method of a client have in common. */
export interface SingleMethod {
  readonly path: string;
  readonly procedure: Procedure;
  readonly retries: Retries;
  /** Makes one attempt, which calls `answered` or `failed` of the call once. May throw instead. */
  readonly attempt: (call: SingleCall) => void;
}

/** What one of them has. */
export interface SingleOptions extends Pick<
  OutgoingCall,
  "inputs" | "metadata" | "parent" | "headersCame" | "trailersCame"
> {
  readonly limits: CallLimits;
  /** How its promise settles. */
  readonly resolve: (message: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One call, with all of its attempts. */
export class SingleCall implements OutgoingCall {
  readonly inputs: OutgoingCall["inputs"];
  readonly metadata: Metadata;
  readonly parent: OutgoingCall["parent"];
  /** What `signal` stands for, without the cost of a signal. */
  readonly limits: CallLimits;
  readonly headersCame: (headers: Metadata) => void;
  readonly trailersCame: (trailers: Metadata) => void;
  readonly #method: SingleMethod;
  readonly #resolve: (message: unknown) => void;
  readonly #reject: (error: unknown) => void;
  #attempts = 0;

  constructor(method: SingleMethod, options: SingleOptions) {
    this.#method = method;
    this.inputs = options.inputs;
    this.metadata = options.metadata;
    this.parent = options.parent;
    this.limits = options.limits;
    this.headersCame = options.headersCame;
    this.trailersCame = options.trailersCame;
    this.#resolve = options.resolve;
    this.#reject = options.reject;
  }

  get path(): string {
    return this.#method.path;
  }

  get procedure(): Procedure {
    return this.#method.procedure;
  }

  get timeout(): number {
    return this.limits.timeout;
  }

  get signal(): AbortSignal {
    return this.limits.signal;
  }

  /** Makes an attempt. */
  begin(): void {
    this.#attempts++;
    const { reason } = this.limits;
    if (reason !== undefined) return this.failed(reason);
    try {
      this.#method.attempt(this);
    } catch (error) {
      this.failed(error);
    }
  }

  /** An attempt was answered. */
  answered(message: unknown): void {
    this.limits.end();
    this.#method.retries.succeeded();
    this.#resolve(message);
  }

  /** An attempt has failed: another one is made if the call may be repeated. */
  failed(error: unknown): void {
    const { procedure, retries } = this.#method;
    // A stream of inputs is gone once it has been read.
    const idempotency = procedure.kind === "unary" ? procedure.idempotency : "unknown";
    if (this.limits.reason === undefined && retries.spend(this.#attempts, idempotency, error)) {
      retries.pause(this.#attempts, this.signal).then(
        () => this.begin(),
        (error: unknown) => this.#reject(error),
      );
      return;
    }
    this.limits.end();
    this.#reject(error);
  }
}
