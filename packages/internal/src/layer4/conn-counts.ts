// Counts the connections, or sessions of datagrams, that a dealet of a case has.

import { countDuration, increase } from "../metrics/count-group.ts";
import { connGroup } from "../metrics/groups.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { ConnEndReason } from "./end-reason.ts";
import type { LoggedConn } from "./conn-log/conn-entry.ts";

export class ConnCounts {
  readonly #numbers: Float64Array;

  /** `labels`: as of `connGroup`. */
  constructor(metrics: Metrics, labels: readonly string[]) {
    this.#numbers = metrics.numbers(connGroup, labels);
  }

  /** The dealet has one more: it takes it, or is asked whether it does. */
  entered(): void {
    increase(this.#numbers, at.underWay);
  }

  /** It has left that one, or that one is over. */
  left(): void {
    increase(this.#numbers, at.underWay, -1);
  }

  /** One is over. */
  ended({ bytesReceived, bytesSent, beganAt, servedAt }: LoggedConn, reason: ConnEndReason): void {
    increase(this.#numbers, at[reason]);
    increase(this.#numbers, at.received, bytesReceived);
    increase(this.#numbers, at.sent, bytesSent);
    if (servedAt !== undefined) countDuration(this.#numbers, at.durations, servedAt - beganAt);
  }
}

const { at } = connGroup;
