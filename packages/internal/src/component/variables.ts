// Variables ($names): the table that templates and conditions are compiled with.

import type { CompareOperator } from "../config/spec.ts";

/**
 * Reads one variable from a request, a connection, or another subject of the table. Never throws; an absent value is
 * `""`. `Value`: a string, or another value that the subject may return instead.
 */
export type VariableReader<Subject, Value = string> = (subject: Subject) => Value;

/** The variables of one sort of subject. Used when a template or condition is compiled, never while serving. */
export interface VariableTable<Subject, Value = string> {
  /**
   * For messages, without the dollar sign. A name that ends in `_` is a family, such as `header_` for `$header_x_y`.
   */
  readonly names: readonly string[];
  /**
   * The reader of this variable, or `undefined` if it does not exist. A member of a family is found by its full name.
   */
  find(name: string): VariableReader<Subject, Value> | undefined;
  /**
   * What to write here for a variable of another server, such as `remote_addr` of nginx: a hint. `undefined`: none that
   * is known.
   */
  readonly foreign?: (name: string) => string | undefined;
  /**
   * What is odd about a pattern, such as that no value of the variable can match it: a warning, with a hint.
   * `undefined`: nothing.
   */
  readonly doubt?: (
    name: string,
    operator: CompareOperator,
    pattern: string,
  ) => { readonly message: string; readonly hint: string } | undefined;
  /**
   * Whether a variable is there, which an empty one may be, too; `undefined`: this one is there unless it is empty. For
   * `$header_x exists`.
   */
  readonly presence?: (name: string) => ((subject: Subject) => boolean) | undefined;
  /**
   * Takes note of the named groups of a regular expression, `(?<id>…)`, that has matched this variable of the subject.
   * Without it, matches are only
   * tested.
   */
  readonly noteMatch?: (
    subject: Subject,
    variable: string,
    groups: Readonly<Record<string, string | undefined>>,
  ) => void;
}

/**
 * Makes a table from plain variables and from families. A family's key ends in `_`; its function gets what stands
 * behind
 * that, never empty (`x_y` for `$header_x_y`), and makes the reader. `more`: as in the table.
 */
export function variableTable<Subject, Value = string>(
  variables: Readonly<Record<string, VariableReader<Subject, Value>>>,
  families: Readonly<Record<`${string}_`, (rest: string) => VariableReader<Subject, Value>>> = {},
  more: Pick<VariableTable<Subject, Value>, "noteMatch" | "foreign" | "doubt" | "presence"> = {},
): VariableTable<Subject, Value> {
  const plain = new Map(Object.entries(variables));
  const made = Object.entries(families);
  return {
    ...more,
    names: [...plain.keys(), ...made.map(([prefix]) => prefix)],
    find(name) {
      const reader = plain.get(name);
      if (reader !== undefined) return reader;
      for (const [prefix, make] of made) {
        if (name.length > prefix.length && name.startsWith(prefix)) return make(name.slice(prefix.length));
      }
      return undefined;
    },
  };
}
