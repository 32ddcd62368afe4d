// What each worker is among the others: the ready worker of the lowest slot is the primary one, which does what is done
// once for the program.

import type { Standing } from "../channel/calls.ts";
import type { WorkerProcess } from "./worker-process.ts";

export class Standings {
  readonly #count: number;
  /** Who was told to be the primary one, or not to be. */
  readonly #told = new WeakMap<WorkerProcess, boolean>();
  /** Whether there is a primary worker here; not while another leader of the program has it. */
  isLeading: boolean;
  #isDraining = false;

  /** `count`: how many workers the program keeps. */
  constructor(count: number, isLeading: boolean) {
    this.#count = count;
    this.isLeading = isLeading;
  }

  /** Of a worker. The first one of a program is the primary one when it boots; later ones are told. */
  of(slot: number, isPrimary: boolean): Standing {
    return { slot, count: this.#count, isPrimary, isDraining: this.#isDraining };
  }

  /** Resolves when all of these workers know what they are. */
  async appoint(ready: readonly WorkerProcess[]): Promise<void> {
    const changed = ready.filter((worker) => {
      const isPrimary = this.isLeading && worker === ready[0];
      if (this.#told.get(worker) === isPrimary) return false;
      this.#told.set(worker, isPrimary);
      return true;
    });
    await Promise.allSettled(changed.map((worker) => this.#tell(worker)));
  }

  /** The program ends soon: their health checks fail. */
  drain(ready: readonly WorkerProcess[]): void {
    this.#isDraining = true;
    for (const worker of ready) this.#tell(worker).catch(() => {});
  }

  async #tell(worker: WorkerProcess): Promise<void> {
    const isPrimary = this.#told.get(worker) ?? false;
    await worker.call("standing", this.of(worker.slot, isPrimary));
  }
}
