// A kind: one row of the table that says where components of a sort may stand, and when they are prepared.

import type { VariableTable } from "./variables.ts";

/** `PartType` is what components of the kind are, life cycle (part.ts) included; `Owner` is the part that they stand in, `undefined` under a stage. */
export interface Kind<PartType extends object = object, Owner = unknown, Name extends string = string> {
  /** Such as `handlet`. */
  readonly name: Name;
  /** Prepared lowest first. */
  readonly rank: number;
  /** In which components it may stand, and whether it needs a name there. */
  readonly standsIn: readonly Standing[];
  /** Rules and cases: a condition may stand between name and body. Default: false. */
  readonly takesCondition?: boolean;
  /** What $names mean in its templates and conditions. Without it neither can hold any. */
  readonly variables?: VariableTable<never>;
  /** The prop that says in which folder file tests (`$path -f`) look. Without it the kind's conditions can hold none. */
  readonly fileTestsIn?: string;
  /** At most one component of each sign in a stage. Default: false. */
  readonly once?: boolean;
  /** A stage makes those that its configuration does not set, with default props. Default: false. */
  readonly always?: boolean;
  /** Loads what parts of the kind need and what is too heavy to be there always. Called before each is prepared. */
  readonly load?: () => Promise<void>;
  /** What to do where something is written in place of the name of such a component that can be none. */
  readonly hintForName?: (written: string) => string | undefined;
  /** For types only: what `create` returns. */
  readonly part: Shape<PartType>;
  /** For types only: the part that it stands in. */
  readonly owner: Shape<Owner>;
}

export interface Standing {
  /** The name of a kind, or `stage`. */
  readonly owner: string;
  readonly naming: "required" | "optional" | "none";
}

declare const shaped: unique symbol;

/** Carries a type and nothing else. */
export interface Shape<T> {
  readonly [shaped]?: T;
}

/** Names a type where only a value can stand: `part: shape<HandletPart>()`. */
export function shape<T>(): Shape<T> {
  return {};
}

/** Declares a kind; its name stays a literal type. */
export function kind<PartType extends object, Owner, const Name extends string>(
  row: Kind<PartType, Owner, Name>,
): Kind<PartType, Owner, Name> {
  return row;
}

/** For messages: `a handlet`, `an addon`. */
export function describeKind({ name }: Pick<Kind, "name">): string {
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
}
