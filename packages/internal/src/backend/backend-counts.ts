// Counts the work of a backend and of its nodes.

import { increase } from "../metrics/count-group.ts";
import { backendGroup, nodeGroup } from "../metrics/groups.ts";
import { ownLabels } from "../metrics/labels.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { NodeCounts } from "./node-counts.ts";
import { nodeName, type WrittenNode } from "./node-name.ts";

/** The component for which is counted. */
export interface CountingOwner {
  readonly metrics: Metrics;
  readonly name: string;
  readonly path: string;
}

export class BackendCounts {
  readonly #owner: CountingOwner;
  readonly #numbers: Float64Array;

  constructor(owner: CountingOwner) {
    this.#owner = owner;
    this.#numbers = owner.metrics.numbers(backendGroup, ownLabels(owner));
  }

  queued(change: 1 | -1): void {
    increase(this.#numbers, backendGroup.at.queued, change);
  }

  refused(): void {
    increase(this.#numbers, backendGroup.at.refused);
  }

  retried(): void {
    increase(this.#numbers, backendGroup.at.retries);
  }

  /** Addresses that one name has share their numbers: DNS must not make more labels. */
  ofNode(spec: WrittenNode): NodeCounts {
    const labels = [...ownLabels(this.#owner), nodeName(spec)];
    return new NodeCounts(this.#owner.metrics.numbers(nodeGroup, labels));
  }
}
