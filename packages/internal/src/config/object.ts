// A configuration as a TypeScript object: its shape, and the values that need a mark because a plain string is only itself.

/** A component. A whole configuration is one whose sign is `stage`. */
export interface ConfigObject {
  /** The word that selects what it is: `webapp`, `static`; `stage` for the outermost one. */
  readonly sign: string;
  /** Needed by those that stand directly in the stage, but for fixtures and outgates. */
  readonly name?: string;
  /** The text of a condition, as in a file: `$path ^= "/assets/" && $method == "GET"`. Rules and cases only. */
  readonly when?: string;
  /** What is set, by the names of its props: `{ maxAge: "1d" }`. */
  readonly props?: Readonly<Record<string, ConfigValue>>;
  /** The components that stand in it, in their order. */
  readonly children?: readonly ConfigObject[];
}

/**
 * A value of a prop. Numbers are integers, bytes or milliseconds, as the prop takes them; sizes and durations may also be
 * their literals as strings (`"64K"`, `"30s"`). Strings, keys too, are taken literally: no `$`, `%` or `.` in them means anything.
 */
export type ConfigValue =
  boolean | number | string | readonly ConfigValue[] | { readonly [key: string]: ConfigValue } | MarkedValue;

/** What a file writes with a sigil or a `+`. Made by the functions below. */
export type MarkedValue = TextPart | { readonly [mark]: "join"; readonly parts: readonly JoinPart[] };

/** What `join` takes. */
export type JoinPart = string | TextPart;

export type TextPart =
  | { readonly [mark]: "ref"; readonly name: string }
  | { readonly [mark]: "variable"; readonly name: string }
  | { readonly [mark]: "constant"; readonly name: string }
  | { readonly [mark]: "env"; readonly name: string; readonly fallback: string | undefined };

/** From the registry of symbols, so that two copies of this package in one program understand each other. */
export const mark: unique symbol = Symbol.for("hemi.config.value");

/** `.site`: the value that is set for that property, here or in an enclosing component. The name comes without the dot. */
export function ref(name: string): TextPart {
  return { [mark]: "ref", name };
}

/** `$method`, for props that are templates. The name comes without the dollar. */
export function variable(name: string): TextPart {
  return { [mark]: "variable", name };
}

/** `%baseDir`. The name comes without the percent sign. */
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
