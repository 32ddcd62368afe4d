// One test of a contract suite.

export interface ContractTest {
  /** A sentence about what holds. */
  readonly name: string;
  /** Throws or rejects if it does not. */
  run(): void | Promise<void>;
}
