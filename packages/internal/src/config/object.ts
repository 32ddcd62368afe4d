// A configuration as a TypeScript object: its shape, and marks for values that a plain string cannot express.

/** A component. The sign of a whole configuration is `stage`. */
export interface ConfigObject {
  /** The word that selects the implementation: `webapp`, `static`; `stage` for the outermost one. */
  readonly sign: string;
  /** Required for components directly in the stage, except fixtures and outgates. */
  readonly name?: string;
  /** The text of a condition, as in a file: `$path ^= "/assets/" && $method == "GET"`. For rules and cases only. */
  readonly when?: string;
  /** Values by the names of props: `{ maxAge: "1d" }`. */
  readonly props?: Readonly<Record<string, ConfigValue>>;
  /** The child components, in order. */
  readonly children?: readonly ConfigObject[];
}

/**
 * A value of a prop. Numbers are integers, bytes or milliseconds, depending on the prop. Sizes and durations may also
 * be literals as strings (`"64K"`, `"30s"`). Strings and keys are literal: `$`, `%` and `.` have no special meaning.
 */
export type ConfigValue =
  boolean | number | string | readonly ConfigValue[] | { readonly [key: string]: ConfigValue } | MarkedValue;

/** The values that a file writes with a sigil or a `+`. Made by the functions below. */
export type MarkedValue = TextPart | { readonly [mark]: "join"; readonly parts: readonly JoinPart[] };

/** The arguments of `join`. */
export type JoinPart = string | TextPart;

export type TextPart =
  | { readonly [mark]: "ref"; readonly name: string }
  | { readonly [mark]: "variable"; readonly name: string }
  | { readonly [mark]: "constant"; readonly name: string }
  | { readonly [mark]: "env"; readonly name: string; readonly fallback: string | undefined };

/** From the global symbol registry, so that two copies of this package in one program understand each other. */
export const mark: unique symbol = Symbol.for("hemi.config.value");

/** `.site`: the value of that property in this or an enclosing component. The name has no dot. */
export function ref(name: string): TextPart {
  return { [mark]: "ref", name };
}

/** `$method`, for template props. The name has no dollar sign. */
export function variable(name: string): TextPart {
  return { [mark]: "variable", name };
}

/** `%baseDir`. The name has no percent sign. */
export function constant(name: string): TextPart {
  return { [mark]: "constant", name };
}

/** `%env(NAME)` or `%env(NAME, "fallback")`. */
export function env(name: string, fallback?: string): TextPart {
  return { [mark]: "env", name, fallback };
}

/** `a + b + c`: `join(constant("baseDir"), "/web")`, `join("https://", variable("hostname"))`. */
export function join(...parts: readonly JoinPart[]): MarkedValue {
  return { [mark]: "join", parts };
}
