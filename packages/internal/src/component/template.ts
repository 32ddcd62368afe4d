// Text with $variables, evaluated for each request or connection.

import { HemiError } from "../errors/hemi-error.ts";
import type { VariableReader, VariableTable } from "./variables.ts";

/** The resolved value of a template prop. */
export interface Template {
  /** In order. Adjacent strings are joined and empty ones removed. */
  readonly parts: readonly TemplatePart[];
  /** The whole text if it contains no variable. */
  readonly constant: string | undefined;
}

/** Literal text, or the name of a variable without the dollar sign. */
export type TemplatePart = string | { readonly variable: string };

/** Makes a template from parts: joins adjacent strings and removes empty ones. */
export function templateOf(parts: readonly TemplatePart[]): Template {
  const joined: TemplatePart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (typeof part === "string" && typeof last === "string") joined[joined.length - 1] = last + part;
    else if (part !== "") joined.push(part);
  }
  const [first = "", ...others] = joined;
  return { parts: joined, constant: typeof first === "string" && others.length === 0 ? first : undefined };
}

export function isTemplate(value: unknown): value is Template {
  return typeof value === "object" && value !== null && "parts" in value && "constant" in value;
}

/** The names of its variables. */
export function variablesOf({ parts }: Template): ReadonlySet<string> {
  return new Set(parts.flatMap((part) => (typeof part === "string" ? [] : part.variable)));
}

/** As a configuration writes it: `"https://" + $hostname`. */
export function templateText({ parts }: Template): string {
  if (parts.length === 0) return '""';
  return parts.map((part) => (typeof part === "string" ? JSON.stringify(part) : `$${part.variable}`)).join(" + ");
}

/**
 * Compiles a template to one closure, so that serving needs no lookup. Throws a HemiError if a variable is not in the
 * table; the check of the configuration excludes this.
 */
export function compileTemplate<Subject>(
  { parts, constant }: Template,
  table: VariableTable<Subject>,
): (subject: Subject) => string {
  if (constant !== undefined) return () => constant;
  const readers = parts.map((part) => (typeof part === "string" ? () => part : readerOf(part.variable, table)));
  const [first, second, third] = readers;
  if (first === undefined) return () => "";
  if (second === undefined) return first;
  if (third === undefined) return (subject) => first(subject) + second(subject);
  if (readers.length === 3) return (subject) => first(subject) + second(subject) + third(subject);
  return function joinParts(subject) {
    let text = "";
    for (const read of readers) text += read(subject);
    return text;
  };
}

function readerOf<Subject>(variable: string, table: VariableTable<Subject>): VariableReader<Subject> {
  const reader = table.find(variable);
  if (reader === undefined) {
    throw new HemiError("HEMI_CONFIG_BAD_VALUE", `there is no variable $${variable} here`);
  }
  return reader;
}
