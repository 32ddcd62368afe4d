// The kind `cacher`: stores responses for the handlet `cache`. What may be stored and reused is decided in rules/;
// a cacher stores, finds, evicts and purges.

import { kind, shape } from "../../component/kind.ts";
import type { Fields } from "../../http/fields.ts";
import type { Part } from "../../component/part.ts";
import { definer } from "../../stage/definer.ts";
import type { Wobject, WobjectHead } from "./wobject.ts";

/** Which wobjects a purge removes. */
export type PurgeSelector =
  /** All variants of a URL. */
  | { readonly url: string }
  /** All URLs that begin so. */
  | { readonly prefix: string }
  /** All that have the tag. */
  | { readonly tag: string }
  | "all";

/** What a selector looks at. */
export interface Purgeable {
  /** As in a `PurgeSelector`. */
  readonly url: string;
  /** `undefined`: they are not known yet, and may be any. */
  readonly tags: readonly string[] | undefined;
}

/** How a purge is done. */
export interface PurgeOptions {
  /**
   * Keeps the wobjects, but they are validated before their next use, and may replace the answer of a failing backend.
   * Default: false.
   */
  readonly isSoft?: boolean;
  /** Only counts. Default: false. */
  readonly isDryRun?: boolean;
  /** Only in this worker. Default: false, a purge holds for all workers of the program. */
  readonly isHere?: boolean;
}

/** Stores one response while it arrives. Exactly one of `commit` and `abort` ends it. */
export interface WobjectWriter {
  /** A piece of the content. It must not be changed afterwards. */
  write(piece: Uint8Array): void;
  /**
   * The content is complete: stores it in place of the same variant. Returns it; `undefined` if it was not stored,
   * because a purge since `begin` selects it, or because there is no room.
   */
  commit(head: WobjectHead): Wobject | undefined | Promise<Wobject | undefined>;
  /** Drops what was written. */
  abort(): void;
  /**
   * Whether a purge since `begin` selects this response, also one by another cache or worker: a validation must not
   * undo it. Without it, only purges by the cache itself count.
   */
  isPurged?(response: Purgeable): boolean;
}

/** Stores web responses. */
export interface CacherPart extends Part {
  /** The largest content that is stored, in bytes. */
  readonly maxWobjectSize: number;
  /** Whether all workers of the machine see the same wobjects. Default: false, each has its own. */
  readonly isShared?: boolean;
  /**
   * All variants with this key, fresh or not, the most recent first (see `madeAt`). Synchronous where that is possible:
   * hits then need no promise. `fields` of a request: a cacher may leave all content but that of the variant that they
   * select where it is stored.
   */
  lookup(key: string, fields?: Fields): readonly Wobject[] | Promise<readonly Wobject[]>;
  /** Begins to store a response. Call it before the backend is asked: purges from then on hold for the response. */
  begin(key: string): WobjectWriter;
  /** Gives a wobject another head, after its validation; does nothing if it is stored no longer. */
  freshen(wobject: Wobject, head: WobjectHead): void;
  /**
   * Removes wobjects, and resolves with their number. Those of one URL are removed before it returns; a purge of many
   * does not stop the event loop.
   */
  purge(selector: PurgeSelector, options?: PurgeOptions): Promise<number>;
  /**
   * For a cacher that several machines share: calls back for each purge, also those of other machines, so that a cacher
   * above can follow; with "all" if some may have been missed. Returns the function that ends this.
   */
  onPurge?(listener: (selector: PurgeSelector, options: PurgeOptions) => void): () => void;
}

/** Stores web responses. */
export const cacherKind = kind({
  name: "cacher",
  rank: 3,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<CacherPart>(),
  owner: shape<undefined>(),
});

/** Declares a cacher: it stores responses for the handlet `cache`. `cacherTests` has its contract as tests. */
export const defineCacher = definer(cacherKind);

/** Whether a selector selects a response, or may do so. */
export function selects(selector: PurgeSelector, { url, tags }: Purgeable): boolean {
  if (selector === "all") return true;
  if ("url" in selector) return url === selector.url;
  if ("prefix" in selector) return url.startsWith(selector.prefix);
  return tags === undefined || tags.includes(selector.tag);
}
