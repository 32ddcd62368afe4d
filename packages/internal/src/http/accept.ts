// Lists of what a client would like, each with a weight: Accept, Accept-Encoding (RFC 9110 section 12).

import { listMembers } from "./list-members.ts";

/** One element, such as `gzip;q=0.5`. */
export interface Weighted {
  /** In lower case, without parameters. */
  readonly name: string;
  /** From 0, not acceptable, to 1. */
  readonly weight: number;
}

/**
 * The elements in the order received, `maxListMembers` at the most; malformed ones are left out. Parameters other than
 * `q` say nothing here.
 */
export function parseWeights(field: string): readonly Weighted[] {
  const list: Weighted[] = [];
  for (const element of listMembers(field)) {
    const [name = "", ...parameters] = element.split(";");
    const weight = weightIn(parameters);
    const trimmed = name.trim();
    if (weight !== undefined && isName(trimmed)) list.push({ name: trimmed.toLowerCase(), weight });
  }
  return list;
}

/** How much a client would like a media type. */
export interface Liking {
  /** 0: it would not take it. */
  readonly weight: number;
  /** It was asked for by its full name, and not only by `*` or not at all. */
  readonly isNamed: boolean;
}

/** `type` in lower case, without parameters. The most specific range counts (RFC 9110 section 12.5.1). */
export function likingOf(type: string, accept: readonly Weighted[]): Liking {
  const exact = heaviest(accept, type);
  if (exact !== undefined) return { weight: exact, isNamed: true };
  const weight = heaviest(accept, type.replace(/\/.*/, "/*")) ?? heaviest(accept, "*/*");
  // Who says nothing takes anything.
  return { weight: weight ?? (accept.length === 0 ? 1 : 0), isNamed: false };
}

/** Whether a client names `text/html` in its `Accept`, as browsers do when they open a page. */
export function isHTMLNamed(accept: string): boolean {
  const { weight, isNamed } = likingOf("text/html", parseWeights(accept));
  return isNamed && weight > 0;
}

/** Of a name that stands twice, the more friendly one. */
function heaviest(list: readonly Weighted[], wanted: string): number | undefined {
  let found: number | undefined;
  for (const { name, weight } of list) if (name === wanted && weight >= (found ?? 0)) found = weight;
  return found;
}

/** `undefined` for a malformed weight. */
function weightIn(parameters: readonly string[]): number | undefined {
  for (const parameter of parameters) {
    const [start] = /^[ \t]*q[ \t]*=/i.exec(parameter) ?? [];
    if (start === undefined) continue;
    const [, value] = /^[ \t]*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)[ \t]*$/.exec(parameter.slice(start.length)) ?? [];
    return value === undefined ? undefined : Number(value);
  }
  return 1;
}

function isName(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9a-z]+(?:\/[!#$%&'*+\-.^_`|~0-9a-z]+)?$/i.test(text);
}
