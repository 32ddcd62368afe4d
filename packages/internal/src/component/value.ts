// A value of a configuration once constants, the environment, references and `+` are worked out.

import type { Span } from "../config/spec.ts";

export type Value =
  | { readonly type: "bool"; readonly value: boolean; readonly span: Span }
  | { readonly type: "integer"; readonly value: number; readonly span: Span }
  /** In bytes. */
  | { readonly type: "size"; readonly value: number; readonly span: Span }
  /** In milliseconds. */
  | { readonly type: "duration"; readonly value: number; readonly span: Span }
  | StringValue
  | { readonly type: "list"; readonly items: readonly Value[]; readonly span: Span }
  | { readonly type: "dict"; readonly entries: readonly EntryValue[]; readonly span: Span }
  | { readonly type: "template"; readonly parts: readonly TemplatePartValue[]; readonly span: Span };

export interface StringValue {
  readonly type: "string";
  readonly value: string;
  readonly span: Span;
  /** From the environment: text in the grammar of whatever type the prop has. */
  readonly fromEnv?: boolean;
}

export interface EntryValue {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: Value;
}

export type TemplatePartValue = string | { readonly variable: string; readonly span: Span };

/**
 * Whether a string may stand for a value of another type, in that type's grammar: one from the environment may, and one of a
 * TypeScript object, which has no other way to write `64K`.
 */
export function isLoose(value: StringValue): boolean {
  return value.fromEnv === true || value.span.source.text === undefined;
}

/** Names a value in a message: `the string "1x"`, `a list`. */
export function describeValue(value: Value): string {
  switch (value.type) {
    case "bool":
      return String(value.value);
    case "integer":
      return `the integer ${value.value}`;
    case "size":
      return `the size ${formatSize(value.value)}`;
    case "duration":
      return `the duration ${formatDuration(value.value)}`;
    case "string":
      return `the string ${quote(value.value)}`;
    case "list":
      return "a list";
    case "dict":
      return "a dict";
    case "template":
      return "a text with variables";
  }
}

/** Quoted and clipped, for a message of one line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

/** In the largest unit that holds it exactly: `64K`. */
export function formatSize(bytes: number): string {
  return inLargestUnit(bytes, sizeUnits) ?? String(bytes);
}

/** In the largest unit that holds it exactly: `90s`. */
export function formatDuration(milliseconds: number): string {
  return inLargestUnit(milliseconds, durationUnits) ?? `${milliseconds}ms`;
}

/** Reads `64K`, or a count of bytes without a unit. `undefined` for anything else, and for what is too large to be exact. */
export function parseSize(text: string): number | undefined {
  return parseWithUnit(text, sizeUnits, 1);
}

/** Reads `30s`; a unit is needed. `undefined` for anything else, and for what is too large to be exact. */
export function parseDuration(text: string): number | undefined {
  return parseWithUnit(text, durationUnits, undefined);
}

const sizeUnits: ReadonlyMap<string, number> = new Map([
  ["T", 1024 ** 4],
  ["G", 1024 ** 3],
  ["M", 1024 ** 2],
  ["K", 1024],
]);

const durationUnits: ReadonlyMap<string, number> = new Map([
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
]);

function inLargestUnit(amount: number, units: ReadonlyMap<string, number>): string | undefined {
  if (amount === 0) return undefined;
  for (const [unit, factor] of units) if (amount % factor === 0) return `${amount / factor}${unit}`;
  return undefined;
}

function parseWithUnit(
  text: string,
  units: ReadonlyMap<string, number>,
  withoutUnit: number | undefined,
): number | undefined {
  const [, digits, unit] = /^([0-9]+)([A-Za-z]*)$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const factor = unit === "" ? withoutUnit : units.get(unit);
  if (factor === undefined) return undefined;
  const amount = Number(digits) * factor;
  return Number.isSafeInteger(amount) ? amount : undefined;
}
