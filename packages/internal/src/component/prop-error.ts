// A failure for which one prop of a component is to blame: it is shown where the configuration sets that prop.

import type { ErrorCode } from "../errors/codes.ts";
import { HemiError } from "../errors/hemi-error.ts";

/**
 * For `examine`, `prepare` and `revise` of a part: what a prop names outside of the configuration cannot be used. The
 * stage shows the message at the prop, as it shows mistakes of the configuration: file, line, column, and a caret row.
 */
export class PropError extends HemiError {
  /** The prop, by its own name, which the component's definition has. */
  readonly prop: string;

  constructor(prop: string, code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
    this.name = "PropError";
    this.prop = prop;
  }
}
