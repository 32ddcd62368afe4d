// What `create` of a component's definition returns: its life-cycle methods, beside the methods of its kind.

/**
 * The life of a part, in this order. Each method may be left out; all may be asynchronous.
 *
 * 1. `prepare`: open and bind what is needed. Lowest rank first, siblings side by side, children before their owner.
 * 2. `start`: begin to serve. In the same order.
 * 3. `update`: any number of times, when a reload changed live props in place.
 * 4. `drain`: take nothing new and finish what runs. Highest rank first, owner before children.
 * 5. `shutdown`: close what was opened. In the same order as drain, and for exactly those parts whose `prepare` was
 *    called, even if it failed. It is called once, whatever happens.
 */
export interface Part {
  /**
   * Looks at what the configuration names outside of itself, such as files, without any effect, and throws what `prepare` would throw of it: for
   * `hemi check`. Any time: the stage need not be prepared, and may be afterwards.
   */
  examine?(): void | Promise<void>;
  prepare?(): void | Promise<void>;
  start?(): void | Promise<void>;
  /** `changed` holds the names of the props that have new values; the props object holds them already. */
  update?(changed: ReadonlySet<string>): void | Promise<void>;
  /** Any time between `prepare` and `shutdown`: the files that it writes logs to have been moved, and are to be opened anew by their names. */
  reopenLogs?(): void | Promise<void>;
  /** `deadline` is in milliseconds since the epoch. A part that is not done by then is abandoned. */
  drain?(deadline: number): void | Promise<void>;
  shutdown?(): void | Promise<void>;
}
