// What a fetch of a cache is told, and how it may end.

import type { LockService } from "../../stage/locks/lock-service.ts";
import type { RulePart } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import type { CacherPart } from "./cacher.ts";
import type { Directives } from "./rules/directives.ts";
import type { Slice } from "./rules/slicing.ts";
import type { KeptBytes, SharedContent } from "./shared-content.ts";
import type { Storable, Wobject, WobjectHead } from "./wobject.ts";

/** A response whose content arrives. */
export interface Arriving {
  readonly status: number;
  readonly fieldList: readonly string[];
  /** In bytes; `undefined`: it is not known yet. */
  readonly size: number | undefined;
  readonly content: SharedContent;
}

/** How a fetch ended, as soon as its head is known. */
export type Outcome =
  | (Arriving & {
      readonly kind: "shared";
      /** What will be stored. */
      readonly head: WobjectHead;
      /** For the client whose request it answers. */
      readonly ownFields: readonly string[];
      /** For the first client only, because the response is to be validated before each use. */
      readonly isPrivate: boolean;
    })
  | (Arriving & { readonly kind: "private" })
  /** `isPrivate`: also because the 304 must not be stored. `ownFields` as above. */
  | {
      readonly kind: "confirmed";
      readonly wobject: Wobject;
      readonly ownFields: readonly string[];
      readonly isPrivate: boolean;
    }
  /** Another process has fetched it. */
  | { readonly kind: "filled"; readonly wobject: Wobject }
  | { readonly kind: "stale"; readonly wobject: Wobject; readonly status: number | undefined }
  /** A 304 about another response than the stored one: it is to be fetched without conditions. */
  | { readonly kind: "unconfirmed" }
  /** A slice that cannot be put together with others: the resource is to be fetched as a whole. */
  | { readonly kind: "unsliceable"; readonly reason: string }
  | { readonly kind: "untaken" }
  | { readonly kind: "failed"; readonly status: 502 | 504 };

/** What to fetch. */
export interface FetchOrder {
  readonly key: string;
  readonly req: Request;
  readonly resp: Response;
  readonly rule: RulePart;
  /** The response to validate. */
  readonly stored: Wobject | undefined;
  /** The part to fetch. Default: all. */
  readonly slice?: Slice;
  /** The directives of the request. */
  readonly wishes: Directives;
}

/**
 * Whether the request may be the reason why its answer is not stored: with `no-store`, or `authorization` (RFC 9111
 * sections 3.5 and 5.2.1.5). Any client can send such a one: nobody else must wait for its answer, or go without the
 * cache because of it.
 */
export function mayRefuseItself({ req, wishes }: Pick<FetchOrder, "req" | "wishes">): boolean {
  return wishes.has("no-store") || req.headers.has("authorization");
}

/** What a cache makes of a head that has come. */
export interface FetchOptions {
  readonly cacher: () => CacherPart;
  /** In milliseconds. */
  readonly timeout: () => number;
  /** The fields of a client that handlets behind the cache must not see. */
  readonly hidden: (req: Request) => ReadonlySet<string>;
  readonly now: () => number;
  /** The URL that purges name. */
  readonly urlOf: (req: Request) => string;
  /** Of all fetches. */
  readonly kept: KeptBytes;
  /** The locks that all processes use which share the cacher; `undefined`: each fetches for itself. */
  readonly locks: () => LockService | undefined;
  /** In milliseconds, how long a fetch waits for that of another process. */
  readonly lockWait: () => number;
  /** `undefined` if the response must not be stored. */
  readonly judge: (
    order: FetchOrder,
    requestTime: number,
    status: number,
    fieldList: readonly string[],
  ) => Storable | undefined;
  /** Whether a 304 that must not be stored ends the reuse of what it confirms. */
  readonly endsReuse: (stored: Wobject, received: readonly string[]) => boolean;
}
