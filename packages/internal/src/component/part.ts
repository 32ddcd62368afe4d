// The return value of `create` in a component's definition: life-cycle methods, in addition to the methods of its kind.

/**
 * The life of a part, in this order. Each method may be left out.
 *
 * 1. `prepare`: open, bind and listen; load what takes time. Lowest rank first, siblings side by side, children before
 *    their owner.
 * 2. `compose`: build what follows from children and references. Children before their owner, those that are referred
 *    to before those that refer.
 * 3. `start`: begin to serve. In the same order as `prepare`.
 * 4. In each reload that keeps the component: `revise` and `update`, if its live props have changed; `compose`, if its
 *    children or what it refers to, directly or not, have changed; `settle`, if others are dropped.
 * 5. `drain`: take nothing new and finish what runs. Highest rank first, owner before children.
 * 6. `shutdown`: close what was opened. In the same order as drain, and for exactly those parts whose `prepare` was
 *    called, even if it failed. It is called once, whatever happens; a second time only if a `prepare` or `start` that
 *    took too long, and was given up, comes back after it.
 */
export interface Part {
  /**
   * For `hemi check`: inspects external resources that the configuration names, such as files, without side effects.
   * Throws every error that `prepare` would throw or warn about. Called at any time: the stage may be prepared later,
   * or never.
   */
  examine?(): void | Promise<void>;
  /** Opens and binds what is needed. If it throws, the stage does not start. */
  prepare?(): void | Promise<void>;
  /**
   * Builds all data derived from `context.children` and from references, which may differ from the previous call. Do
   * not build such data anywhere else. Must not fail: work that can fail belongs in `prepare` or `revise`.
   */
  compose?(): void;
  /** Begins to serve. */
  start?(): void | Promise<void>;
  /**
   * For live props whose change needs work that can wait or fail, such as reading a file. Does that work for `next`,
   * which has all props with the new values, while the old result stays in use. Returns a function that swaps the two.
   * It is called once when the reload succeeds, and a second time if the reload is undone after that. A rejection
   * refuses the reload. `changed` has the names of the props that differ.
   */
  revise?(
    next: Readonly<Record<string, unknown>>,
    changed: ReadonlySet<string>,
  ): Revision["swap"] | Revision | Promise<Revision["swap"] | Revision>;
  /**
   * Called after a reload has written new values to the props object. `changed` has the names of these props. Must not
   * fail.
   */
  update?(changed: ReadonlySet<string>): void;
  /**
   * Settles when all work has ended that was under way at the call and in which one of `dropped` has a share: only then
   * are they shut down. `users` are the parts that live on but referred to one of them until now, directly or not: what
   * they have begun, they end with it. Work that never ends by itself, such as a WebSocket, may be broken off at
   * `deadline` (milliseconds since the epoch).
   */
  settle?(dropped: ReadonlySet<object>, deadline: number, users: ReadonlySet<object>): void | Promise<void>;
  /**
   * For parts that serve clients: what runs at this moment, and which of it would have to end if `dropped` were
   * dropped; `users` as for `settle`. For `hemi plan`.
   */
  countWork?(dropped: ReadonlySet<object>, users: ReadonlySet<object>): WorkCount;
  /** Reopens its log files by name after they were moved. Called at any time between `prepare` and `shutdown`. */
  reopenLogs?(): void | Promise<void>;
  /** `deadline` is in milliseconds since the epoch. A part that has not finished by then is abandoned. */
  drain?(deadline: number): void | Promise<void>;
  /**
   * Closes what was opened, even after a `prepare` that failed halfway. Closing what is closed already does nothing.
   */
  shutdown?(): void | Promise<void>;
}

/** A result of `revise` that has to be closed. */
export interface Revision {
  /** Swaps the old result and the new one. */
  swap(): void;
  /** The reload is over, whatever became of it: closes the result that is not in use. Called once. Must not fail. */
  done(): void;
}

/** What a part that serves clients has under way. */
export interface WorkCount {
  /** Open connections. */
  readonly conns: number;
  /** What would have to end, by the part that it counts for, such as a webapp. */
  readonly ending: ReadonlyMap<object, EndingWork>;
}

/** Work that ends, as numbers. */
export interface EndingWork {
  /** Requests that are not answered completely. */
  readonly requests: number;
  readonly webSockets: number;
  /** Other connections that have left HTTP, or that are passed on by a router. */
  readonly tunnels: number;
}
