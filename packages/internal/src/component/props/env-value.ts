// Lists and dicts in environment variables, written like in a file, with literals only.

import { Cursor } from "../../config/cursor.ts";
import { lex } from "../../config/lexer.ts";
import { parseValue } from "../../config/parse-value.ts";
import type { Problem } from "../../config/problem.ts";
import type { SourceSpan, ValueSpec } from "../../config/spec.ts";
import type { Value } from "../value.ts";

/**
 * Returns the content of an environment variable as a value if it is one value of the configuration language. Returns
 * any other value unchanged.
 */
export function unfoldEnv(value: Value): Value {
  if (value.type !== "string" || value.fromEnv !== true) return value;
  const problems: Problem[] = [];
  const lexed = lex({ name: "<environment>", text: value.value });
  const cursor = new Cursor(lexed, problems);
  const spec = parseValue(cursor);
  if (spec === undefined || !cursor.is("end") || problems.length > 0 || lexed.problems.length > 0) return value;
  return literal(spec, value.span) ?? value;
}

/** A hint that shows how to write the value as a list or dict. */
export function hintForOne(value: Value): string | undefined {
  if (value.type === "string" && value.fromEnv === true)
    return 'a variable holds it as a file would: ("a", "b") or ["a": 1]';
  return value.type === "list" || value.type === "dict" ? undefined : 'a list is written ("a", "b"), a dict ["a": 1]';
}

/** The whole value gets the span of `%env`, because that is what the user sees. */
function literal(spec: ValueSpec, span: SourceSpan): Value | undefined {
  switch (spec.type) {
    case "bool":
    case "integer":
    case "size":
    case "duration":
    case "string":
      return { ...spec, span };
    case "list": {
      const items = spec.items.map((item) => literal(item, span)).filter((item) => item !== undefined);
      return items.length === spec.items.length ? { type: "list", items, span } : undefined;
    }
    case "dict": {
      const entries = [];
      for (const { key, value: written } of spec.entries) {
        const value = literal(written, span);
        if (value !== undefined) entries.push({ key, keySpan: span, value });
      }
      return entries.length === spec.entries.length ? { type: "dict", entries, span } : undefined;
    }
    default:
      return undefined;
  }
}
