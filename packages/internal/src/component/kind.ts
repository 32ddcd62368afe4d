// A kind: one row of the table that says where components may be placed, and in which order they are prepared.

import type { VariableTable } from "./variables.ts";

/**
 * `PartType` is the type of the kind's components, including their life cycle (part.ts). `Owner` is the part that
 * encloses them, `undefined` directly under a stage.
 */
export interface Kind<PartType extends object = object, Owner = unknown, Name extends string = string> {
  /** For example `handlet`. */
  readonly name: Name;
  /** The order of preparation, lowest first. */
  readonly rank: number;
  /** The components that may enclose it, and whether it needs a name there. */
  readonly standsIn: readonly Standing[];
  /** Whether a condition may follow the name, as in rules and cases. Default: false. */
  readonly takesCondition?: boolean;
  /** The variables ($names) of its templates and conditions. Without it, they may not contain any. */
  readonly variables?: VariableTable<never>;
  /** The prop with the folder for file tests (`$path -f`). Without it, the kind's conditions may not contain any. */
  readonly fileTestsIn?: string;
  /** Whether a stage may contain at most one component of each sign. Default: false. */
  readonly once?: boolean;
  /** Whether a stage creates components that its configuration does not mention, with default props. Default: false. */
  readonly always?: boolean;
  /** Loads what parts of the kind need and what is too heavy to be there always. Called before each is prepared. */
  readonly load?: () => Promise<void>;
  /** A hint for a text that is written instead of a component's name and cannot be one. */
  readonly hintForName?: (written: string) => string | undefined;
  /** For types only: the return type of `create`. */
  readonly part: Shape<PartType>;
  /** For types only: the enclosing part. */
  readonly owner: Shape<Owner>;
}

export interface Standing {
  /** The name of a kind, or `stage`. */
  readonly owner: string;
  readonly naming: "required" | "optional" | "none";
}

declare const shaped: unique symbol;

/** Carries a type, and no value. */
export interface Shape<T> {
  readonly [shaped]?: T;
}

/** Gives a type where TypeScript requires a value: `part: shape<HandletPart>()`. */
export function shape<T>(): Shape<T> {
  return {};
}

/** Declares a kind. Its name remains a literal type. */
export function kind<PartType extends object, Owner, const Name extends string>(
  row: Kind<PartType, Owner, Name>,
): Kind<PartType, Owner, Name> {
  return row;
}

/** For messages: `a handlet`, `an addon`. */
export function describeKind({ name }: Pick<Kind, "name">): string {
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
}
