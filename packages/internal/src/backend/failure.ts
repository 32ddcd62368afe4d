// How a backend fails, and what may be done about it.

import { HemiError } from "../errors/hemi-error.ts";

/**
 * - `HEMI_BACKEND_BUSY` (503): no node can take the request: none is up, or all have their fill.
 * - `HEMI_BACKEND_DIAL` (502): a node cannot be connected to.
 * - `HEMI_BACKEND_BROKEN` (502): a node broke the connection off, or its answer is malformed.
 * - `HEMI_TIMEOUT` (504): a node was too slow.
 */
export type FailureCode = "HEMI_BACKEND_BUSY" | "HEMI_BACKEND_DIAL" | "HEMI_BACKEND_BROKEN" | "HEMI_TIMEOUT";

/** Why a node of a backend could not answer. */
export class BackendFailure extends HemiError {
  /** What sort of failure it is. */
  declare readonly code: FailureCode;
  /** What the client is answered, if nothing was sent to it. */
  readonly status: 502 | 503 | 504;
  /** The node may have seen the request: unless that may be done twice, it is not tried again. */
  readonly wasSent: boolean;
  /** "" if no node was chosen. */
  readonly node: string;
  /** A kept connection was closed by the node before anything of an answer had come: most likely it was just about to. */
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
