// What `create` of a component's definition returns: its life-cycle methods, beside the methods of its kind.

/**
 * The life of a part, in this order. Each method may be left out.
 *
 * 1. `prepare`: open, bind and listen; load what takes time. Lowest rank first, siblings side by side, children before their owner.
 * 2. `compose`: build what follows from children and references. Children before their owner, those that are referred to before those that refer.
 * 3. `start`: begin to serve. In the same order as `prepare`.
 * 4. In each reload that keeps the component: `revise` and `update`, if its live props have changed; `compose`, if its children or what it
 *    refers to, directly or not, have changed; `settle`, if others are dropped.
 * 5. `drain`: take nothing new and finish what runs. Highest rank first, owner before children.
 * 6. `shutdown`: close what was opened. In the same order as drain, and for exactly those parts whose `prepare` was
 *    called, even if it failed. It is called once, whatever happens; a second time only if a `prepare` or `start` that took too long, and
 *    was given up, comes back after it.
 */
export interface Part {
  /**
   * Looks at what the configuration names outside of itself, such as files, without any effect, and throws what `prepare` would throw of it
   * or warn of: for `hemi check`. Any time: the stage need not be prepared, and may be afterwards.
   */
  examine?(): void | Promise<void>;
  /** Opens and binds what is needed. What it throws keeps the stage from starting. */
  prepare?(): void | Promise<void>;
  /**
   * Builds all that is derived from `context.children` and from references, which may be others than before; nothing of it is built elsewhere.
   * It must not fail: all that can is work of `prepare` or `revise`.
   */
  compose?(): void;
  /** Begins to serve. */
  start?(): void | Promise<void>;
  /**
   * For live props whose change needs work that can wait or fail, such as reading a file: does that work for `next`, all props with the new values,
   * beside what is in place. What it returns swaps the two: it is called once when the reload goes through, and a second time if the reload is
   * undone after that. A rejection refuses the reload. `changed` are the names of those that differ.
   */
  revise?(next: Readonly<Record<string, unknown>>, changed: ReadonlySet<string>): (() => void) | Promise<() => void>;
  /** `changed` holds the names of the props that have new values; the props object holds them already. Must not fail. */
  update?(changed: ReadonlySet<string>): void;
  /**
   * Settles when all work has ended that was under way at the call and in which one of `dropped` has a share: only then are they shut down. `users`
   * are the parts that live on but referred to one of them until now, directly or not: what they have begun, they end with it. Work that never ends
   * by itself, such as a WebSocket, may be broken off at `deadline` (milliseconds since the epoch).
   */
  settle?(dropped: ReadonlySet<object>, deadline: number, users: ReadonlySet<object>): void | Promise<void>;
  /** Any time between `prepare` and `shutdown`: the files that it writes logs to have been moved, and are to be opened anew by their names. */
  reopenLogs?(): void | Promise<void>;
  /** `deadline` is in milliseconds since the epoch. A part that is not done by then is abandoned. */
  drain?(deadline: number): void | Promise<void>;
  /** Closes what was opened, even after a `prepare` that failed halfway. Closing what is closed already does nothing. */
  shutdown?(): void | Promise<void>;
}
