// What a `reference` prop holds.

/** Read `current` each time it is used: a reload may put another part there. */
export interface Reference<PartType extends object = object> {
  /** As the configuration has it. */
  readonly name: string;
  /** The path of the referred component, for messages. Throws like `current`. */
  readonly path: string;
  /** Throws HEMI_STAGE_STATE before the referred component is created: not before `prepare` is it sure to be there. */
  readonly current: PartType;
}
