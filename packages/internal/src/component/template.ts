// Text with $variables, worked out for each request or connection.

import { HemiError } from "../errors/hemi-error.ts";
import type { VariableReader, VariableTable } from "./variables.ts";

/** The resolved value of a template prop. */
export interface Template {
  /** In order; neighbouring strings are joined and empty ones left out. */
  readonly parts: readonly TemplatePart[];
  /** The whole text if no variable is in it. */
  readonly constant: string | undefined;
}

/** Literal text, or a variable's name without the dollar. */
export type TemplatePart = string | { readonly variable: string };

/** Makes a template of parts as they come: joins neighbouring strings and drops empty ones. */
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

/**
 * Compiles a template to one closure, with no lookup left for serving. Throws a HemiError if a variable is not in the table,
 * which the check of the configuration has ruled out before.
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
