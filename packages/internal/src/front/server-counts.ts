// Counts the connections of a server or router, by its name and sign.

import type { Context } from "../stage/context.ts";
import { increase } from "../metrics/count-group.ts";
import { serverGroup } from "../metrics/groups.ts";
import { ownLabels } from "../metrics/labels.ts";
import type { ConnCounts } from "./gate.ts";

export class ServerCounts implements ConnCounts {
  readonly #numbers: Float64Array;

  constructor(owner: Pick<Context, "metrics" | "name" | "path">) {
    this.#numbers = owner.metrics.numbers(serverGroup, ownLabels(owner));
  }

  accepted(): void {
    increase(this.#numbers, at.accepted);
    increase(this.#numbers, at.open);
  }

  /** There are too many connections, or too many of this client. */
  refused(): void {
    increase(this.#numbers, at.refused);
  }

  closed(): void {
    increase(this.#numbers, at.open, -1);
  }

  handshake(isResumed: boolean): void {
    increase(this.#numbers, isResumed ? at.resumedHandshakes : at.fullHandshakes);
  }

  handshakeFailed(): void {
    increase(this.#numbers, at.failedHandshakes);
  }

  /** A request was refused before a webapp had it. */
  requestRefused(): void {
    increase(this.#numbers, at.refusedRequests);
  }
}

const { at } = serverGroup;
