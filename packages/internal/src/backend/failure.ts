// Failures of a backend.

import { HemiError } from "../errors/hemi-error.ts";

/**
 * - `HEMI_BACKEND_BUSY` (503): no node can take the request: all are down or at their limit.
 * - `HEMI_BACKEND_DIAL` (502): the connection to a node failed.
 * - `HEMI_BACKEND_BROKEN` (502): a node closed the connection early, or its response is malformed.
 * - `HEMI_TIMEOUT` (504): a node was too slow.
 */
export type FailureCode = "HEMI_BACKEND_BUSY" | "HEMI_BACKEND_DIAL" | "HEMI_BACKEND_BROKEN" | "HEMI_TIMEOUT";

/** Why a backend could not respond. */
export class BackendFailure extends HemiError {
  /** The sort of failure. */
  declare readonly code: FailureCode;
  /** The status for the client, if no response was started. */
  readonly status: 502 | 503 | 504;
  /** Whether the node may have received the request. If so, only idempotent requests are retried. */
  readonly wasSent: boolean;
  /** "" if no node was chosen. */
  readonly node: string;
  /**
   * The node closed a kept connection before it sent any part of a response: most likely because of its idle timeout.
   */
  readonly isStale: boolean;

  constructor(code: FailureCode, node: string, reason: string, { wasSent = false, isStale = false } = {}) {
    super(code, node === "" ? reason : `node ${node}: ${reason}`);
    this.status = statusOf[code];
    this.node = node;
    this.wasSent = wasSent;
    this.isStale = isStale;
  }
}

const statusOf: { readonly [Code in FailureCode]: 502 | 503 | 504 } = {
  HEMI_BACKEND_BUSY: 503,
  HEMI_BACKEND_DIAL: 502,
  HEMI_BACKEND_BROKEN: 502,
  HEMI_TIMEOUT: 504,
};
