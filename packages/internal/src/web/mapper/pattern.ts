// The pattern of a route, `/users/:id(\\d+)/files/*rest`, and the type of its params.

import { HemiError } from "../../errors/hemi-error.ts";

/**
 * `Params<"/users/:id/*rest">` is `{ readonly id: string; readonly rest: string }`. For a pattern that is not a literal
 * type, any name is allowed.
 */
export type Params<Text extends string> = string extends Text
  ? Readonly<Record<string, string>>
  : { readonly [Name in NamesIn<Text>]: string };

type NamesIn<Text extends string> = Text extends `${infer Segment}/${infer Rest}`
  ? NameOf<Segment> | NamesIn<Rest>
  : NameOf<Text>;

type NameOf<Segment extends string> = Segment extends `:${infer Name}(${string}`
  ? Name
  : Segment extends `:${infer Name}`
    ? Name
    : Segment extends `*${infer Name}`
      ? Name extends ""
        ? "*"
        : Name
      : never;

export interface Pattern {
  readonly text: string;
  readonly parts: readonly PatternPart[];
  /** The names of its params in order; the wildcard's last. */
  readonly names: readonly string[];
  /** Equal for two patterns that match the same paths with the same priority: the text without the names. */
  readonly shape: string;
}

export type PatternPart =
  /** Text to match exactly, including slashes: `/users/` */
  | { readonly type: "static"; readonly text: string }
  /** One non-empty segment that the constraint matches completely. */
  | { readonly type: "param"; readonly constraint: RegExp | undefined }
  /** The rest of the path, which may be empty. */
  | { readonly type: "wildcard" };

/** Throws `HEMI_USAGE` with the mistake and its correction. */
export function parsePattern(text: string): Pattern {
  if (!text.startsWith("/")) refuse(text, `it must begin with "/"`);
  const segments = text.slice(1).split("/");
  const parts: PatternPart[] = [];
  const names: string[] = [];
  let literal = "";
  segments.forEach((segment, index) => {
    literal += "/";
    const variable = parseSegment(text, segment, index === segments.length - 1);
    if (variable === undefined) {
      literal += segment;
      return;
    }
    if (names.includes(variable.name)) refuse(text, `two of its params are named "${variable.name}"`);
    names.push(variable.name);
    parts.push({ type: "static", text: literal }, variable.part);
    literal = "";
  });
  if (literal !== "") parts.push({ type: "static", text: literal });
  return { text, parts, names, shape: parts.map(shapeOf).join("") };
}

/** `undefined` for a segment to match exactly. */
function parseSegment(text: string, segment: string, isLast: boolean): { name: string; part: PatternPart } | undefined {
  if (segment === "." || segment === "..") refuse(text, "no path has a dot segment");
  if (segment.startsWith("*")) {
    const name = segment.slice(1);
    if (!isLast || (name !== "" && !isName(name)))
      refuse(text, `a wildcard is the whole last segment: "/*" or "/*rest"`);
    return { name: name === "" ? "*" : name, part: { type: "wildcard" } };
  }
  if (segment.includes("*") && !segment.startsWith(":"))
    refuse(text, `"*" stands at the beginning of the last segment only`);
  if (!segment.startsWith(":")) return undefined;
  const [, name, constraint] = /^:([^(]*)(?:\((.*)\))?$/.exec(segment) ?? [];
  if (name === undefined || !isName(name))
    refuse(text, `"${segment}" is no param: write ":name" or ":name(regular expression without /)"`);
  return {
    name,
    part: { type: "param", constraint: constraint === undefined ? undefined : compileConstraint(text, constraint) },
  };
}

function compileConstraint(text: string, source: string): RegExp {
  try {
    return new RegExp(`^(?:${source})$`, "su");
  } catch (error) {
    return refuse(text, `"${source}" is no regular expression${error instanceof Error ? `: ${error.message}` : ""}`);
  }
}

/** Names become properties of a plain object, where `__proto__` would not work. */
function isName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && name !== "__proto__";
}

/** A slash precedes each variable, so a static part cannot be confused with one. */
function shapeOf(part: PatternPart): string {
  if (part.type === "static") return part.text;
  return part.type === "wildcard" ? "*" : part.constraint === undefined ? ":" : `:(${part.constraint.source})`;
}

function refuse(text: string, reason: string): never {
  throw new HemiError("HEMI_USAGE", `the pattern "${text}" cannot be mapped: ${reason}`);
}
