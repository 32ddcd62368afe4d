// The filters of a response: hooks of revisers inspect the final head, and may install filters that the content passes.
//
//  addHook ──> hooked ── runHooks (the head is final) ──> filters ── install ──> flowing ── end, close ──> over
//
// A response without hooks has no pipe, and costs nothing here.

import { Buffer } from "node:buffer";
import type { ExchanWire } from "../../http/exchan.ts";
import { FilterChain, type FilterHook, type PlacedFilter } from "../content/filter.ts";
import { faultAt, isPeerGone } from "../dispatch/fault.ts";

/** The response that a pipe belongs to. */
export interface PipedResponse {
  /** Whether nothing more is sent because the response was aborted. */
  readonly wasAborted: boolean;
  /** Throws HEMI_HEAD_SENT if the head was sent: a hook may not send the response. */
  assertOpen(): void;
  /** A hook has installed a filter: what was known of the content no longer holds. */
  contentRevised(): void;
  /** Reports an error that has no other caller. */
  noteFault(error: unknown): void;
  /** Aborts the response. */
  abort(): void;
}

/** Runs the hooks of a response, and passes its content through their filters. */
export class FilterPipe {
  readonly #wire: ExchanWire;
  readonly #response: PipedResponse;
  readonly #hooks: FilterHook[] = [];
  #haveHooksRun = false;
  #chain: FilterChain | undefined;
  /** The last step through the filters. */
  #step: Promise<void> | undefined;
  #flushTimer: NodeJS.Timeout | undefined;
  /** The handlet gives no more content. */
  #isEnding = false;

  constructor(wire: ExchanWire, response: PipedResponse) {
    this.#wire = wire;
    this.#response = response;
  }

  /** Whether there are hooks that have not inspected the head yet. */
  get isHooked(): boolean {
    return !this.#haveHooksRun;
  }

  /** Whether content passes filters. */
  get isFlowing(): boolean {
    return this.#chain !== undefined;
  }

  /** Whether content has begun to pass filters, which may still work on it. */
  get hasBegun(): boolean {
    return this.#step !== undefined;
  }

  /** Adds a hook that inspects the final head. */
  addHook(hook: FilterHook): void {
    this.#hooks.push(hook);
  }

  /** Whether this part has a hook that will inspect the head. */
  isHookedBy(part: object): boolean {
    return this.isHooked && this.#hooks.some((hook) => hook.by === part);
  }

  /** Whether one of these parts has a hook, or may have a filter on the content. */
  isHookedByOneOf(parts: ReadonlySet<object>): boolean {
    return this.#hooks.some(({ by }) => parts.has(by));
  }

  /** Runs the hooks, those furthest from the wire first. Returns their filters; none at the second call. */
  runHooks(): readonly PlacedFilter[] {
    if (this.#haveHooksRun) return [];
    this.#haveHooksRun = true;
    const hooks = this.#hooks;
    const filters: PlacedFilter[] = [];
    try {
      for (const { rank, path, hook } of hooks.length === 1
        ? hooks
        : hooks.toSorted((a, b) => a.rank - b.rank).reverse()) {
        const filter = runHook(path, hook);
        if (filter === undefined) continue;
        filters.push({ rank, path, filter });
        if (filter.keepsContent !== true) this.#response.contentRevised();
      }
      this.#response.assertOpen();
    } catch (error) {
      for (const { filter } of filters) filter.close?.();
      throw error;
    }
    return filters;
  }

  /** Installs filters. Returns their chain; `undefined` if there are none, or no content for them. */
  install(filters: readonly PlacedFilter[], hasContent: boolean): FilterChain | undefined {
    if (filters.length === 0) return undefined;
    const chain = new FilterChain(
      filters,
      (piece) => (this.#wire.sendContent(piece) ? undefined : this.#wire.writable()),
      (fault) => this.#response.noteFault(fault),
    );
    if (!hasContent) {
      chain.close();
      return undefined;
    }
    this.#wire.onEnd(() => {
      clearTimeout(this.#flushTimer);
      chain.close();
    });
    return (this.#chain = chain);
  }

  /** Closes filters that are not installed, because their content was sent without them. */
  closeUnused(filters: readonly PlacedFilter[]): void {
    for (const { filter, path } of filters) {
      try {
        filter.close?.();
      } catch (error) {
        this.#response.noteFault(faultAt(path, error));
      }
    }
  }

  /** Passes a piece. It is flushed later, if a filter wants that. */
  push(piece: string | Uint8Array): Promise<void> {
    return this.#through((chain) => {
      this.#flushLater(chain);
      return chain.push(typeof piece === "string" ? Buffer.from(piece) : piece);
    });
  }

  /** Passes a piece of a source that never pauses: no flush is needed. */
  pushSteady(piece: Uint8Array): Promise<void> {
    return this.#through((chain) => chain.push(piece));
  }

  /** Sends what filters have buffered, as far as they can. */
  flush(): void | Promise<void> {
    if (this.#chain === undefined) return;
    return this.#through((chain) => {
      // All pushed data is sent now: the wait starts again with the next piece.
      clearTimeout(this.#flushTimer);
      this.#flushTimer = undefined;
      return chain.flush();
    });
  }

  /** The content is complete. `passed` is called when all of it has passed the filters. */
  end(passed: () => void): void {
    this.#isEnding = true;
    clearTimeout(this.#flushTimer);
    void this.#through(async (chain) => {
      await chain.end();
      passed();
    });
  }

  /** The response has no content for the filters after all. */
  drop(): void {
    this.#chain?.close();
    this.#chain = undefined;
  }

  /** The response was aborted. */
  close(): void {
    this.#isEnding = true;
    this.#chain?.close();
  }

  /**
   * Calls `flush` some time after the first unflushed piece, if a filter wants this. Later pieces do not delay it: a
   * source that never pauses would otherwise be buffered until its end.
   */
  #flushLater(chain: FilterChain): void {
    if (this.#flushTimer !== undefined || this.#isEnding) return;
    const { flushAfter } = chain;
    if (flushAfter === undefined) return;
    this.#flushTimer = setTimeout(() => void this.flush(), flushAfter);
  }

  /** Runs a step through the filters after the previous one. A failed step aborts the response. */
  #through(step: (chain: FilterChain) => void | Promise<void>): Promise<void> {
    const chain = this.#chain;
    const run = (this.#step ?? Promise.resolve()).then(() => (chain === undefined ? undefined : step(chain)));
    this.#step = run;
    run.catch((error: unknown) => {
      if (this.#response.wasAborted) return;
      if (!isPeerGone(error)) this.#response.noteFault(error);
      this.#response.abort();
    });
    return run;
  }
}

/** The known replacement of the content, if there is a single filter, and it has one. */
export function soleReplacement(filters: readonly PlacedFilter[]): Uint8Array | undefined {
  return filters.length === 1 ? filters[0]?.filter.instead : undefined;
}

function runHook(path: string, hook: FilterHook["hook"]): ReturnType<FilterHook["hook"]> {
  try {
    return hook();
  } catch (error) {
    throw faultAt(path, error);
  }
}
