// The worker processes of a program, as a component sees them. A program of one process has one worker: itself.

/** Components use it through `context.workers`. */
export interface Workers {
  /** The slot of this worker, from 0. A worker that replaces another one has its slot. */
  readonly slot: number;
  /** How many workers serve. A limit that is meant for the whole program is divided by it. */
  readonly count: number;
  /**
   * Whether this worker does what is done once for the program: active health checks, cronjobs, rotation of log files.
   * It is the ready worker with the lowest slot, so it can change at any time.
   */
  readonly isPrimary: boolean;
  /** Calls back when `isPrimary` or `count` has changed. Returns the function that ends this. */
  onChange(listener: () => void): () => void;
  /**
   * Sends a message to all other workers: plain data, at most 64 KiB as JSON. Messages of one worker arrive in order;
   * a worker that is replaced at that moment may miss some.
   */
  broadcast(topic: string, message: unknown): void;
  /** Receives the messages of other workers about a topic. Returns the function that ends this. */
  subscribe(topic: string, listener: (message: unknown) => void): () => void;
}

/** A program of one process. */
export const onlyWorker: Workers = {
  slot: 0,
  count: 1,
  isPrimary: true,
  onChange: () => () => {},
  broadcast() {},
  subscribe: () => () => {},
};
