// The error class for all errors that Hemi throws on purpose.

import type { ErrorCode } from "./codes.ts";

/**
 * An error that says what is wrong, where, and how to fix it. `code` is stable and documented; `message` is for people.
 */
export class HemiError extends Error {
  /** Stable and documented: see `errorCodes`. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "HemiError";
    this.code = code;
  }
}
