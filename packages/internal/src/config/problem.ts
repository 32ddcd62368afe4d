// A problem of a configuration, with its position.

import type { ErrorCode } from "../errors/codes.ts";
import type { SourceSpan } from "./spec.ts";

/** One independent mistake in a configuration. */
export interface Problem {
  /** The sort of mistake. */
  readonly code: ErrorCode;
  /** The message, with the value: `webapp "shop" has no property "hostname"`. */
  readonly message: string;
  /** Shown after the carets: `did you mean .hostnames?`. */
  readonly hint: string | undefined;
  /** The position of the mistake. */
  readonly span: SourceSpan;
  /** Replaces the position if the source is a TypeScript object: `webapp.shop/rule.3`. */
  readonly path: string | undefined;
  /** Further lines: a position in another file, a stack. */
  readonly details?: string;
}
