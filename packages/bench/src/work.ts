// One line of the bench table.

export interface Work {
  /** What is measured, as the table names it. */
  readonly name: string;
  /** Programs that it needs beside Node.js. */
  readonly needs: readonly string[];
  run(settings: Settings): Promise<readonly Result[]>;
}

export interface Settings {
  /** Of one run of a load. */
  readonly seconds: number;
  readonly pairs: number;
}

export interface Result {
  /** What it is held against. */
  readonly against: string;
  readonly ours: string;
  readonly theirs: string;
  /** The ratio, or the figure itself where there is no peer. */
  readonly figure: string;
  readonly atLeast: string;
  readonly aim: string;
}
