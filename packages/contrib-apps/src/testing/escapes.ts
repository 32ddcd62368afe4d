// For tests: what nobody catches, and what would end a process that has no listeners for it.

import type { EventEmitter } from "node:events";

export interface Escapes extends Disposable {
  readonly errors: readonly unknown[];
  /** Until Node.js has told what there is to tell. */
  settle(): Promise<void>;
}

/** Takes the place of the listeners that there are, until it is disposed of. */
export function watchEscapes(): Escapes {
  const errors: unknown[] = [];
  const take = (error: unknown) => void errors.push(error);
  // As an emitter of any events: each name has an overload of its own.
  const emitter: Pick<EventEmitter, "listeners" | "on" | "removeAllListeners"> = process;
  const restore = ["uncaughtException", "unhandledRejection"].map((name) => {
    const others = emitter.listeners(name) as ((...args: unknown[]) => void)[];
    emitter.removeAllListeners(name);
    emitter.on(name, take);
    return () => {
      emitter.removeAllListeners(name);
      for (const other of others) emitter.on(name, other);
    };
  });
  return {
    errors,
    async settle() {
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
    [Symbol.dispose]: () => restore.forEach((putBack) => putBack()),
  };
}
