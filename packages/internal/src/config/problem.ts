// What is wrong with a configuration, where, and how it is shown.

import type { ErrorCode } from "../errors/codes.ts";
import type { Span } from "./spec.ts";

/** One independent mistake in a configuration. */
export interface Problem {
  /** What sort of mistake it is. */
  readonly code: ErrorCode;
  /** What is wrong, with the value: `webapp "shop" has no property "hostname"`. */
  readonly message: string;
  /** Stands behind the caret: `did you mean .hostnames?`. */
  readonly hint: string | undefined;
  /** Where it stands. */
  readonly span: Span;
  /** Stands in for the position where the source is a TypeScript object: `webapp.shop/rule.3`. */
  readonly path: string | undefined;
  /** Lines that follow: the place in another file, a stack. */
  readonly details?: string;
}
