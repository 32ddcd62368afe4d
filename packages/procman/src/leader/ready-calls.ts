// The questions that a leader passes on to its workers: to all of them, to that of one slot, or to any one.

import { HemiError } from "@hemi/hemi/base";
import type { WorkerCalls } from "../channel/calls.ts";
import type { Slot } from "./slot.ts";
import { answerOf } from "./worker-answers.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** Calls of the workers that are ready, by the slots that they are in. */
export class ReadyCalls {
  readonly #slots: readonly Slot[];

  constructor(slots: readonly Slot[]) {
    this.#slots = slots;
  }

  /** Calls all ready workers. Rejects with the first failure. */
  async all<Name extends keyof WorkerCalls>(
    name: Name,
    params: WorkerCalls[Name]["params"],
  ): Promise<readonly { readonly slot: number; readonly result: WorkerCalls[Name]["result"] }[]> {
    return await Promise.all(
      readyIn(this.#slots).map(async (worker) => ({
        slot: worker.slot,
        result: await answerOf(worker, worker.call(name, params)),
      })),
    );
  }

  /**
   * Calls the ready worker of a slot. Rejects with HEMI_USAGE if there is none, and with HEMI_PROCESS if it ends before
   * it has answered. `lost`: what that means, for the message.
   */
  async inSlot<Name extends keyof WorkerCalls>(
    slot: number,
    name: Name,
    params: WorkerCalls[Name]["params"],
    lost?: string,
  ): Promise<WorkerCalls[Name]["result"]> {
    const worker = this.#slots[slot]?.ready;
    if (worker === undefined) {
      const slots = readyIn(this.#slots).map((ready) => ready.slot);
      throw new HemiError("HEMI_USAGE", `no worker ${slot} is ready; there are: ${slots.join(", ")}`);
    }
    return await answerOf(worker, worker.call(name, params), lost);
  }

  /** Calls the worker that does what is done once for the program. Rejects with HEMI_PROCESS if none is ready. */
  async primary<Name extends keyof WorkerCalls>(
    name: Name,
    params: WorkerCalls[Name]["params"],
  ): Promise<WorkerCalls[Name]["result"]> {
    const [worker] = readyIn(this.#slots);
    if (worker === undefined) throw new HemiError("HEMI_PROCESS", "no worker is ready");
    return await answerOf(worker, worker.call(name, params));
  }
}

/** The workers that are ready, in the order of their slots. */
export function readyIn(slots: readonly Slot[]): readonly WorkerProcess[] {
  return slots.map(({ ready }) => ready).filter((worker) => worker !== undefined);
}
