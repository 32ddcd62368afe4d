// One run of a task for all callers that request it meanwhile.

/** Tasks by key, of which at most one per key runs at a time. No result is cached. */
export class SingleFlight<Value> {
  readonly #flights = new Map<string, Promise<Value>>();

  /** The number of running tasks. */
  get size(): number {
    return this.#flights.size;
  }

  /** Joins the running task of this key, or starts one. All callers get its value or its error. */
  run(key: string, task: () => Promise<Value>): Promise<Value> {
    const running = this.#flights.get(key);
    if (running) return running;
    const flight = this.#fly(key, task);
    this.#flights.set(key, flight);
    return flight;
  }

  /** Resolves when all tasks that are running now have settled. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#flights.values());
  }

  async #fly(key: string, task: () => Promise<Value>): Promise<Value> {
    // The flight is in the map first, even if the task settles at once.
    await Promise.resolve();
    try {
      return await task();
    } finally {
      this.#flights.delete(key);
    }
  }
}
