// The commands that a lane has sent and that are not answered yet, each with its node and its time limit. One timer is
// enough for all of them: it is that of the one whose time is over first.

import { type Seated, SeatedRoster } from "@hemi/common";

/** One of them. */
export interface SentCommand extends Seated {
  /** Where it was sent; "": the only server, or any node of a cluster. */
  readonly node: string;
  /** By `performance.now()`. */
  readonly dueAt: number;
  /** Whether its time was over before it was answered. */
  isLate: boolean;
  /** Called once, when its time is over. */
  readonly giveUp: () => void;
}

export class SentCommands {
  readonly #all = new SeatedRoster<SentCommand>();
  /** How many are late, by node. */
  readonly #overdue = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer ends. */
  #timerDueAt = Infinity;

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  /** Whether any of them is late. */
  get hasOverdue(): boolean {
    return this.#overdue.size > 0;
  }

  /** Whether this node owes an answer whose time is over. */
  isOverdue(node: string): boolean {
    return this.#overdue.has(node);
  }

  /** `limit`: its time, in milliseconds. */
  add(node: string, limit: number, giveUp: () => void): SentCommand {
    const command = { place: -1, node, dueAt: performance.now() + limit, isLate: false, giveUp };
    this.#all.add(command);
    // A reload may have made the limit shorter.
    if (command.dueAt < this.#timerDueAt) this.#wait(command.dueAt);
    return command;
  }

  /** It is answered, or never will be. */
  delete(command: SentCommand): void {
    if (this.#all.delete(command) && command.isLate) this.#countOverdue(command.node, -1);
  }

  #countOverdue(node: string, change: 1 | -1): void {
    const count = (this.#overdue.get(node) ?? 0) + change;
    if (count === 0) this.#overdue.delete(node);
    else this.#overdue.set(node, count);
  }

  #wait(dueAt: number): void {
    clearTimeout(this.#timer);
    this.#timerDueAt = dueAt;
    const over = (): void => {
      const now = performance.now();
      // This process may have stood still itself: what has arrived meanwhile is read first.
      setImmediate(() => this.#giveUp(now));
    };
    this.#timer = setTimeout(over, Math.max(1, dueAt - performance.now()));
    // The connection keeps the process alive.
    this.#timer.unref();
  }

  /** Those whose time was over at `now`. */
  #giveUp(now: number): void {
    let next = Infinity;
    for (const command of this.#all) {
      if (command.isLate) continue;
      if (command.dueAt > now) next = Math.min(next, command.dueAt);
      else {
        command.isLate = true;
        this.#countOverdue(command.node, 1);
        command.giveUp();
      }
    }
    this.#timerDueAt = Infinity;
    if (next < Infinity) this.#wait(next);
  }
}
