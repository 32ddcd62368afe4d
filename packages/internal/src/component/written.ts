// Values that stand in TypeScript: defaults of props.

import type { SpecSource, Span } from "../config/spec.ts";
import { HemiError } from "../errors/hemi-error.ts";
import type { Value } from "./value.ts";

/** The source of defaults. They have no place in a configuration: errors about them are shown at the component. */
export const defaultSource: SpecSource = { name: "<default>", text: undefined };

const span: Span = { source: defaultSource, start: 0, end: 0 };

/** Makes a value of plain data. Throws HEMI_USAGE for what no configuration can hold. */
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
