// The wait between two attempts of a request.

/** A wait that may end early: then nothing is called. */
export class Pause {
  readonly #timer: NodeJS.Timeout;
  readonly #over = Promise.withResolvers<void>();

  constructor(ms: number, passed: () => void) {
    this.#timer = setTimeout(() => {
      passed();
      this.end();
    }, ms);
  }

  /** Resolved once it has passed, or was ended. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#over.resolve();
  }
}
