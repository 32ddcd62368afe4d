// bool, integer, size, duration: values that fit into a number.

import { formatDuration, formatSize, isLoose, parseDuration, parseSize } from "../value.ts";
import type { Value } from "../value.ts";
import { propMaker } from "./prop-type.ts";
import type { PropType } from "./prop-type.ts";
import { refuse } from "./refuse.ts";

/** How a size is written in a TypeScript object: bytes, or a literal of the configuration language. */
export type Size = number | `${number}${"K" | "M" | "G" | "T"}`;
/** How a duration is written in a TypeScript object: milliseconds, or a literal of the configuration language. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

/** Inclusive. */
export interface Range<Amount> {
  /** Default: 0. */
  readonly min?: Amount;
  /** Default: 2^53 − 1. */
  readonly max?: Amount;
}

export const bool = propMaker<boolean, boolean>(() => ({
  takes: "true or false",
  read(value, label, reader) {
    if (value.type === "bool") return value.value;
    if (value.type === "string" && isLoose(value) && /^(?:true|false)$/.test(value.value))
      return value.value === "true";
    return refuse(this, value, label, reader);
  },
}));

export const integer = propMaker<number, number, Range<number>>((range) =>
  amount({ one: "an integer", format: String, range: [range?.min, range?.max] }, (value) => {
    if (value.type === "integer") return value.value;
    return value.type === "string" && isLoose(value) && /^[0-9]+$/.test(value.value) ? Number(value.value) : undefined;
  }),
);

/** In bytes. */
export const size = propMaker<number, Size, Range<Size>>((range) =>
  amount(
    { one: "a size such as 64K", format: formatSize, range: [amountOf(range?.min), amountOf(range?.max)] },
    (value) => {
      if (value.type === "size" || value.type === "integer") return value.value;
      return value.type === "string" && isLoose(value) ? parseSize(value.value) : undefined;
    },
  ),
);

/** In milliseconds. */
export const duration = propMaker<number, Duration, Range<Duration>>((range) =>
  amount(
    { one: "a duration such as 30s", format: formatDuration, range: [amountOf(range?.min), amountOf(range?.max)] },
    (value) => {
      if (value.type === "duration") return value.value;
      if (value.type === "integer" && value.span.source.text === undefined) return value.value;
      return value.type === "string" && isLoose(value) ? parseDuration(value.value) : undefined;
    },
    (value) => (value.type === "integer" ? `write the unit: ${value.value}ms or ${value.value}s` : undefined),
  ),
);

interface AmountNotation {
  readonly one: string;
  readonly format: (amount: number) => string;
  readonly range: readonly [min: number | undefined, max: number | undefined];
}

function amount(
  { one, format, range: [min = 0, max = Number.MAX_SAFE_INTEGER] }: AmountNotation,
  amountIn: (value: Value) => number | undefined,
  hintFor?: (value: Value) => string | undefined,
): PropType<number> {
  return {
    takes: one + bounds(min, max, format),
    read(value, label, reader) {
      const found = amountIn(value);
      if (found !== undefined && found >= min && found <= max) return found;
      return refuse(this, value, label, reader, found === undefined ? hintFor?.(value) : undefined);
    },
  };
}

function bounds(min: number, max: number, format: (amount: number) => string): string {
  if (max < Number.MAX_SAFE_INTEGER) return ` from ${format(min)} to ${format(max)}`;
  return min > 0 ? ` of at least ${format(min)}` : "";
}

function amountOf(written: Size | Duration | undefined): number | undefined {
  return typeof written === "string" ? (parseDuration(written) ?? parseSize(written)) : written;
}
