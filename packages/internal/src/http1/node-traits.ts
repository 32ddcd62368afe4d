// What the connections and requests of an HTTP/1 backend share.

import type { NodeConn } from "../backend/node-conn.ts";
import type { ConnPool } from "../backend/conn-pool.ts";
import type { HeadLimits } from "../http/head-limits.ts";
import type { Http1NodeResponseHead } from "./node-response-head.ts";
import type { MessageLimits } from "./message-content.ts";

export interface Http1NodeTraits {
  readonly settings: HeadLimits & {
    /** Statuses of answers that speak against a node. */
    readonly failStatuses: readonly number[];
    /** Of 1xx answers before an answer. */
    readonly maxInterims: number;
  };
  readonly contentLimits: MessageLimits;
}

/** It remembers the last head that was read on it, for when the same comes again. */
export type Http1NodeConn = NodeConn<Http1NodeTraits, Http1NodeResponseHead>;
export type Http1Pool = ConnPool<Http1NodeTraits, Http1NodeResponseHead>;
