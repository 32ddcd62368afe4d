// What the connections and requests of an HTTP/1 backend share.

import type { ClientConn } from "../backend/client-conn.ts";
import type { ConnPool } from "../backend/conn-pool.ts";
import type { AnswerHeadLimits, Http1AnswerHead } from "./answer-head.ts";
import type { ContentLimits } from "./request-content.ts";

export interface Http1ClientTraits {
  readonly settings: AnswerHeadLimits & {
    /** Statuses of answers that speak against a node. */
    readonly failStatuses: readonly number[];
    /** Of 1xx answers before an answer. */
    readonly maxInterims: number;
  };
  readonly contentLimits: ContentLimits;
}

/** It remembers the last head that was read on it, for when the same comes again. */
export type Http1ClientConn = ClientConn<Http1ClientTraits, Http1AnswerHead>;
export type Http1Pool = ConnPool<Http1ClientTraits, Http1AnswerHead>;
