// A reload as its caller sees it: what it does, and what is held between its two halves.

/** Options of a reload. */
export interface ReloadOptions {
  /** The maximum time for reading, checking and preparing, in milliseconds. Default: 30 s. */
  readonly patience?: number;
}

/** What a reload does. Paths are those of the new configuration; for dropped components, those of the old one. */
export interface ReloadPaths {
  /** Components that continue unchanged. */
  readonly kept: readonly string[];
  /** Components that continue with new values of live props. */
  readonly updated: readonly string[];
  /** Components that are new or were replaced. */
  readonly created: readonly string[];
  /** Components that were removed or replaced. */
  readonly dropped: readonly string[];
}

/** The result of a reload. */
export interface Reloaded extends ReloadPaths {
  /**
   * Settles when all dropped components have finished their work and are shut down, within `.drainTimeout` of the
   * stage. Never rejects.
   */
  readonly departed: Promise<void>;
}

/**
 * A reload whose new components are prepared beside those that run. The stage serves as before until `commit`. Further
 * reloads wait until one of the two functions has settled; `quit` of the stage discards it.
 */
export interface PreparedReload extends ReloadPaths {
  /**
   * Puts the new configuration in place, in one turn of the event loop. Rejects as `reload` does if a new component
   * does not start; the stage then goes on as before. Rejects with HEMI_STAGE_STATE after `discard`.
   */
  commit(): Promise<Reloaded>;
  /** Gives up what was prepared. Harmless after `commit`. */
  discard(): Promise<void>;
}
