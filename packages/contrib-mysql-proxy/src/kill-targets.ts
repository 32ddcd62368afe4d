// Where sessions are, for KILL: clients know those of others by ids of the proxy, and the client that kills may be at
// another worker than the one that is killed.
//
//  KILL id ──> a session of this worker ──> its server and its id there
//         └──> asked of the other workers ──> one of them answers ──> the same
//                                         └──> none does in time: unknown

import { randomInt } from "node:crypto";
import type { Deadline } from "@hemi/common";
import type { Workers } from "@hemi/internal";

/** Where a session is at a server. */
export interface KillTarget {
  readonly node: string;
  readonly threadId: number;
}

export interface KillTargetsOptions {
  readonly workers: Workers;
  /** The same in all workers: by that the proxies find each other. */
  readonly path: string;
  /** The session of a client of this worker. */
  readonly find: (id: number) => KillTarget | undefined;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
}

/** What workers tell each other. */
type Told = { readonly asked: number; readonly id: number } | ({ readonly answered: number } & KillTarget);

export class KillTargets {
  readonly #options: KillTargetsOptions;
  readonly #topic: string;
  /** Questions to other workers, by their numbers. */
  readonly #asked = new Map<number, (target: KillTarget | undefined) => void>();
  #end: (() => void) | undefined;

  constructor(options: KillTargetsOptions) {
    this.#options = options;
    this.#topic = `kill ${options.path}`;
  }

  /** From now on, questions of other workers are answered. */
  open(): void {
    this.#end = this.#options.workers.subscribe(this.#topic, (message) => {
      if (!isTold(message)) return;
      if ("answered" in message) return this.#asked.get(message.answered)?.(message);
      const target = this.#options.find(message.id);
      if (target !== undefined) this.#tell({ answered: message.asked, node: target.node, threadId: target.threadId });
    });
  }

  close(): void {
    this.#end?.();
    this.#end = undefined;
    for (const found of [...this.#asked.values()]) found(undefined);
  }

  /** Calls back once, at once or later. `undefined`: there is no such session. */
  find(id: number, found: (target: KillTarget | undefined) => void): void {
    const { workers, makeDeadline } = this.#options;
    const own = this.#options.find(id);
    if (own !== undefined || workers.count < 2 || this.#asked.size >= maxAsked) return found(own);
    const number = this.#newNumber();
    const deadline = makeDeadline(() => over(undefined));
    const over = (target: KillTarget | undefined): void => {
      deadline.clear();
      this.#asked.delete(number);
      found(target);
    };
    this.#asked.set(number, over);
    deadline.set(patience);
    this.#tell({ asked: number, id });
  }

  /** At random, because workers do not know the questions of each other. */
  #newNumber(): number {
    for (;;) {
      const number = randomInt(2 ** 47);
      if (!this.#asked.has(number)) return number;
    }
  }

  #tell(message: Told): void {
    this.#options.workers.broadcast(this.#topic, message);
  }
}

function isTold(value: unknown): value is Told {
  if (typeof value !== "object" || value === null) return false;
  if ("asked" in value) return typeof value.asked === "number" && "id" in value && typeof value.id === "number";
  return (
    "answered" in value &&
    typeof value.answered === "number" &&
    "node" in value &&
    typeof value.node === "string" &&
    "threadId" in value &&
    typeof value.threadId === "number"
  );
}

/** In milliseconds. Not a prop: workers of one machine answer in a few. */
const patience = 1000;
/** Not a prop: questions at a time. */
const maxAsked = 1000;
