// Values written in TypeScript: defaults of props.

import type { SourceSpan, SpecSource } from "../config/spec.ts";
import { HemiError } from "../errors/hemi-error.ts";
import type { Value } from "./value.ts";

/** The source of defaults. They have no position in a configuration; errors about them are shown at the component. */
export const defaultSource: SpecSource = { name: "<default>", text: undefined };

const span: SourceSpan = { source: defaultSource, start: 0, end: 0 };

/** Converts plain data to a value. Throws HEMI_USAGE for data that a configuration cannot contain. */
export function writtenValue(written: unknown): Value {
  if (typeof written === "boolean") return { type: "bool", value: written, span };
  if (typeof written === "number") return { type: "integer", value: written, span };
  if (typeof written === "string") return { type: "string", value: written, span };
  if (Array.isArray(written)) return { type: "list", items: written.map(writtenValue), span };
  if (typeof written !== "object" || written === null) {
    throw new HemiError("HEMI_USAGE", `a default of a prop cannot be ${String(written)}`);
  }
  const entries = Object.entries(written).map(([key, value]) => ({ key, keySpan: span, value: writtenValue(value) }));
  return { type: "dict", entries, span };
}
