// One run of a task for all who ask for it while it runs.

/** Keyed tasks of which at most one a key runs at a time. Nothing is kept once a task has settled. */
export class SingleFlight<Value> {
  readonly #flights = new Map<string, Promise<Value>>();

  /** How many tasks run now. */
  get size(): number {
    return this.#flights.size;
  }

  /** Joins the running task of this key, or starts one. All who joined get its value, or its error. */
  run(key: string, task: () => Promise<Value>): Promise<Value> {
    const running = this.#flights.get(key);
    if (running) return running;
    const flight = this.#fly(key, task);
    this.#flights.set(key, flight);
    return flight;
  }

  /** Resolves when none of the tasks that run now runs any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#flights.values());
  }

  async #fly(key: string, task: () => Promise<Value>): Promise<Value> {
    // Only then is the flight in the map, whatever the task does at once.
    await Promise.resolve();
    try {
      return await task();
    } finally {
      this.#flights.delete(key);
    }
  }
}
