// A configuration value after constants, the environment, references and `+` are resolved.

import { printDuration, printSize } from "../config/literals.ts";
import { quote } from "../config/quote.ts";
import type { SourceSpan } from "../config/spec.ts";

export type Value =
  | { readonly type: "bool"; readonly value: boolean; readonly span: SourceSpan }
  | { readonly type: "integer"; readonly value: number; readonly span: SourceSpan }
  /** In bytes. */
  | { readonly type: "size"; readonly value: number; readonly span: SourceSpan }
  /** In milliseconds. */
  | { readonly type: "duration"; readonly value: number; readonly span: SourceSpan }
  | StringValue
  | { readonly type: "list"; readonly items: readonly Value[]; readonly span: SourceSpan }
  | { readonly type: "dict"; readonly entries: readonly EntryValue[]; readonly span: SourceSpan }
  | { readonly type: "template"; readonly parts: readonly TemplatePartValue[]; readonly span: SourceSpan };

export interface StringValue {
  readonly type: "string";
  readonly value: string;
  readonly span: SourceSpan;
  /** From the environment: text in the grammar of the prop's type. */
  readonly fromEnv?: boolean;
}

export interface EntryValue {
  readonly key: string;
  readonly keySpan: SourceSpan;
  readonly value: Value;
}

export type TemplatePartValue = string | { readonly variable: string; readonly span: SourceSpan };

/**
 * Whether a string may stand for a value of another type, in the grammar of that type. Strings from the environment
 * may. So may strings of a TypeScript object, which has no other notation for `64K`.
 */
export function isLoose(value: StringValue): boolean {
  return value.fromEnv === true || value.span.source.text === undefined;
}

/** Describes a value in a message: `the string "1x"`, `a list`. */
export function describeConfigValue(value: Value): string {
  switch (value.type) {
    case "bool":
      return String(value.value);
    case "integer":
      return `the integer ${value.value}`;
    case "size":
      return `the size ${printSize(value.value)}`;
    case "duration":
      return `the duration ${printDuration(value.value)}`;
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
