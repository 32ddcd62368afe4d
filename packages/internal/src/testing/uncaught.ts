// For tests: hears what would end the process.

/** Collects what is thrown or rejected with nobody there to catch it, until it is disposed of. */
export class Uncaught implements Disposable {
  readonly errors: unknown[] = [];

  constructor() {
    process.on("uncaughtException", this.#note).on("unhandledRejection", this.#note);
  }

  [Symbol.dispose](): void {
    process.off("uncaughtException", this.#note).off("unhandledRejection", this.#note);
  }

  readonly #note = (error: unknown): void => void this.errors.push(error);
}
