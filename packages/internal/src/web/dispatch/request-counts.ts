// Counts requests by the component that answers them: its webapp, the name of the rule, and the sign of the handlet.

import { bucketOf, countDuration, increase } from "../../metrics/count-group.ts";
import { requestGroup, webappGroup } from "../../metrics/groups.ts";
import type { Metrics } from "../../metrics/metrics.ts";
import { timeSince, turnTick, type TurnCounts } from "../../metrics/turn.ts";

/** The counts of one webapp. */
export class WebappCounts {
  readonly #metrics: Metrics;
  readonly #name: string;
  readonly #underWay: Float64Array;
  /** Requests that no rule takes. */
  readonly untaken: RequestCounts;

  constructor(metrics: Metrics, name: string) {
    this.#metrics = metrics;
    this.#name = name;
    this.#underWay = metrics.numbers(webappGroup, [name]);
    this.untaken = this.of("", "");
  }

  /** Of a component in it. `rule`: "" if it has no name. `handlet`: its sign; "": the rule itself responds. */
  of(rule: string, handlet: string): RequestCounts {
    return new RequestCounts(this.#metrics, [this.#name, rule, handlet], this.#underWay);
  }
}

/** The counts of one component. */
export class RequestCounts implements TurnCounts {
  readonly #metrics: Metrics;
  readonly #labels: readonly string[];
  readonly #numbers: Float64Array;
  readonly #underWay: Float64Array;
  atOnce = 0;

  /** `labels`: as of `requestGroup`. */
  constructor(metrics: Metrics, labels: readonly string[], underWay: Float64Array) {
    this.#metrics = metrics;
    this.#labels = labels;
    this.#numbers = metrics.numbers(requestGroup, labels);
    this.#underWay = underWay;
  }

  /** A sampled request is over, after so many ms. `now`: in ms since the epoch. */
  keepExemplar(traceId: string, duration: number, now: number): void {
    const place = at.durations + bucketOf(duration);
    const exemplar = { at: place, traceId, value: duration / 1000, time: now / 1000 };
    this.#metrics.keepExemplar(requestGroup, this.#labels, exemplar);
  }

  /** A request has begun. Returns the tick to pass to `ended`. */
  began(): number {
    increase(this.#underWay, at.underWay);
    return turnTick();
  }

  /**
   * It is over, whichever component of the webapp it began with. `status`: 0 without a response. `received` and `sent`:
   * content in bytes. The duration of a tunnel says nothing about the speed of responses, and is not counted.
   */
  ended(tick: number, status: number, isAborted: boolean, isTunnel: boolean, received: number, sent: number): void {
    const numbers = this.#numbers;
    const digit = (status / 100) | 0;
    increase(this.#underWay, at.underWay, -1);
    increase(numbers, digit > 5 ? at.other : digit);
    if (isAborted) increase(numbers, at.aborted);
    increase(numbers, at.received, received);
    increase(numbers, at.sent, sent);
    if (isTunnel) return;
    const duration = timeSince(tick, this);
    if (duration !== undefined) countDuration(numbers, at.durations, duration);
  }

  turnEnded(duration: number): void {
    countDuration(this.#numbers, at.durations, duration, this.atOnce);
    this.atOnce = 0;
  }
}

const at = { ...requestGroup.at, underWay: webappGroup.at.underWay };
