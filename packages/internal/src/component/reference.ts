// What a `reference` prop holds.

import type { Origin } from "../config/origin.ts";

/** Read `current` each time it is used: a reload may put another part there. */
export interface Reference<PartType extends object = object> {
  /** As the configuration has it. */
  readonly name: string;
  /** The path of the referred component, for messages. Throws like `current`. */
  readonly path: string;
  /** The sign of the referred component. Throws like `current`. */
  readonly sign: string;
  /** Where the referred component stands. Throws like `current`. */
  readonly origin: Origin | undefined;
  /** Throws HEMI_STAGE_STATE before the referred component is created: not before `prepare` is it sure to be there. */
  readonly current: PartType;
}
