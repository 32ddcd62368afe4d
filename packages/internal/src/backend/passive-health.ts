// Passive health: nodes that fail at work are ejected for a while, for longer each time, but never all of them.

import type { Deadline } from "@hemi/common";
import type { ErrorLog } from "../log/error-log.ts";
import type { Node } from "./node.ts";

export interface PassiveSettings {
  /** Successive failures; 0: a node is never ejected. */
  readonly maxFails: number;
  /** In milliseconds; doubled at each further ejection. */
  readonly ejectTime: number;
  /** In milliseconds. */
  readonly maxEjectTime: number;
  /** The maximum share of ejected nodes, in percent. */
  readonly maxEjected: number;
}

/** The part of a node group that health checks use. */
export interface Watched {
  readonly size: number;
  readonly nodes: Iterable<Node>;
  /** `isDown` or `isEjected` of a node has changed. */
  stateChanged(): void;
}

interface Record {
  /** Successive failures. */
  fails: number;
  /** Ejections since it last worked for as long as the next ejection would last. */
  ejections: number;
  readonly deadline: Deadline;
}

export class PassiveHealth {
  readonly #settings: PassiveSettings;
  readonly #watched: Watched;
  readonly #log: ErrorLog;
  readonly #makeDeadline: (onExpired: () => void) => Deadline;
  readonly #records = new WeakMap<Node, Record>();

  constructor(
    settings: PassiveSettings,
    watched: Watched,
    log: ErrorLog,
    makeDeadline: (onExpired: () => void) => Deadline,
  ) {
    this.#settings = settings;
    this.#watched = watched;
    this.#log = log;
    this.#makeDeadline = makeDeadline;
  }

  succeeded(node: Node): void {
    const record = this.#records.get(node);
    if (record === undefined || record.fails === 0) return;
    record.fails = 0;
    record.ejections = 0;
  }

  failed(node: Node, reason: string): void {
    const { maxFails } = this.#settings;
    const record = this.#recordOf(node);
    if (maxFails === 0 || node.isEjected || ++record.fails < maxFails) return;
    if (!this.#mayEject()) {
      // The failures stay counted: it is ejected as soon as another node is back.
      this.#log.warn(`node ${node.id} would rest: ${reason}; but more than maxEjected of the nodes would`);
      return;
    }
    const { ejectTime, maxEjectTime } = this.#settings;
    const duration = Math.min(ejectTime * 2 ** record.ejections, maxEjectTime);
    record.ejections++;
    node.isEjected = true;
    node.counts?.ejected();
    this.#log.warn(
      `node ${node.id} rests for ${duration} ms: it failed ${record.fails} times in a row, at last: ${reason}`,
    );
    record.deadline.set(duration);
    this.#watched.stateChanged();
  }

  #recordOf(node: Node): Record {
    const known = this.#records.get(node);
    if (known !== undefined) return known;
    const record: Record = { fails: 0, ejections: 0, deadline: this.#makeDeadline(() => this.#readmit(node)) };
    this.#records.set(node, record);
    return record;
  }

  #readmit(node: Node): void {
    node.isEjected = false;
    // One more failure ejects it again, until it has succeeded once.
    this.#recordOf(node).fails = Math.max(0, this.#settings.maxFails - 1);
    node.cameBack();
    this.#log.info(`node ${node.id} is tried again`);
    this.#watched.stateChanged();
  }

  #mayEject(): boolean {
    let away = 1;
    let usable = 0;
    for (const node of this.#watched.nodes) {
      if (node.isEjected) away++;
      else if (node.isUsable) usable++;
    }
    return usable > 1 && away <= (this.#watched.size * this.#settings.maxEjected) / 100;
  }
}
