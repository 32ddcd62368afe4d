// Passive health: nodes that fail at work rest for a while, each time longer, but never all of them.

import type { Deadline } from "@hemi/common";
import type { ErrorLog } from "../log/error-log.ts";
import type { Node } from "./node.ts";

export interface PassiveSettings {
  /** Failures in a row; 0: nobody is ever ejected. */
  readonly maxFails: number;
  /** ms; doubled each time that a node is ejected again. */
  readonly ejectTime: number;
  /** ms. */
  readonly maxEjectTime: number;
  /** Of the nodes, in percent. */
  readonly maxEjected: number;
}

/** The nodes of a group, as far as health goes. */
export interface Watched {
  readonly size: number;
  readonly nodes: Iterable<Node>;
  /** `isDown` or `isEjected` of a node has changed. */
  stateChanged(): void;
}

interface Record {
  /** In a row. */
  fails: number;
  /** Times that it was ejected since it last stood the time that it would be ejected for. */
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
      // It goes on counting: it is ejected as soon as another one is back.
      this.#log.warn(`node ${node.id} would rest: ${reason}; but more than maxEjected of the nodes would`);
      return;
    }
    const { ejectTime, maxEjectTime } = this.#settings;
    const duration = Math.min(ejectTime * 2 ** record.ejections, maxEjectTime);
    record.ejections++;
    node.isEjected = true;
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
    // One more failure is enough: it is on trial until it has done something right.
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
