// For tests: what nobody catches, and what would end a process that has no listeners for it.

export interface Escapes extends Disposable {
  readonly errors: readonly unknown[];
  /** Until Node.js has told what there is to tell. */
  settle(): Promise<void>;
}

/** Takes the place of the listeners that there are, until it is disposed of. */
export function watchEscapes(): Escapes {
  const errors: unknown[] = [];
  const take = (error: unknown) => void errors.push(error);
  const restore = (["uncaughtException", "unhandledRejection"] as const).map((name) => {
    const others = process.listeners(name);
    process.removeAllListeners(name);
    process.on(name, take);
    return () => {
      process.removeAllListeners(name);
      for (const other of others) process.on(name, other);
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
