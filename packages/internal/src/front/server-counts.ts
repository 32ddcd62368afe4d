// Counts the connections of a server or router, by its name and sign.

import type { Context } from "../stage/context.ts";
import { increase } from "../metrics/count-group.ts";
import { serverGroup } from "../metrics/groups.ts";
import { ownLabels } from "../metrics/labels.ts";
import type { GateCounts } from "./gate.ts";

/**
 * Counts the connections, handshakes and refused requests of one server or router in the metrics of `serverGroup`.
 * Their labels are the name and the sign of the owner.
 */
export class ServerCounts implements GateCounts {
  readonly #numbers: Float64Array;

  constructor(owner: Pick<Context, "metrics" | "name" | "path">) {
    this.#numbers = owner.metrics.numbers(serverGroup, ownLabels(owner));
  }

  /** A connection was accepted; it is open until `closed`. */
  accepted(): void {
    increase(this.#numbers, at.accepted);
    increase(this.#numbers, at.open);
  }

  /** There are too many connections, or too many of this client. */
  refused(): void {
    increase(this.#numbers, at.refused);
  }

  /** An accepted connection has closed. */
  closed(): void {
    increase(this.#numbers, at.open, -1);
  }

  /** A TLS handshake has succeeded. `isResumed`: by resuming an earlier session. */
  handshake(isResumed: boolean): void {
    increase(this.#numbers, isResumed ? at.resumedHandshakes : at.fullHandshakes);
  }

  /** A TLS handshake has failed. */
  handshakeFailed(): void {
    increase(this.#numbers, at.failedHandshakes);
  }

  /** A request was refused before a webapp had it. */
  requestRefused(): void {
    increase(this.#numbers, at.refusedRequests);
  }
}

const { at } = serverGroup;
