// The value of a `reference` prop.

import type { Origin } from "../config/origin.ts";

/** Read `current` at each use: a reload may replace the part. */
export interface Reference<PartType extends object = object> {
  /** The name in the configuration. */
  readonly name: string;
  /** The path of the referenced component, for messages. Throws like `current`. */
  readonly path: string;
  /** The sign of the referenced component. Throws like `current`. */
  readonly sign: string;
  /** The position of the referenced component. Throws like `current`. */
  readonly origin: Origin | undefined;
  /**
   * The part. Throws HEMI_STAGE_STATE before the referenced component is created; it is available from `prepare` on.
   */
  readonly current: PartType;
}
