// bool, integer, size, duration: values that are numbers or booleans.

import { printDuration, printSize, readNumber } from "../../config/literals.ts";
import { isLoose } from "../value.ts";
import type { Value } from "../value.ts";
import { propMaker } from "./prop-type.ts";
import type { PropType } from "./prop-type.ts";
import { refuse } from "./refuse.ts";

/** A size in a TypeScript object: bytes, or a literal of the configuration language. */
export type Size = number | `${number}${"K" | "M" | "G" | "T"}`;
/** A duration in a TypeScript object: milliseconds, or a literal of the configuration language. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

/** Inclusive. */
export interface Range<Amount> {
  /** Default: 0. */
  readonly min?: Amount;
  /** Default: 2^53 − 1; of a duration 24d, which is what a timer can wait. */
  readonly max?: Amount;
}

/** `true` or `false`. */
export const bool = propMaker<boolean, boolean>(() => ({
  name: "bool",
  takes: "true or false",
  jsonSchema: () => ({ type: "boolean" }),
  read(value, label, reader) {
    if (value.type === "bool") return value.value;
    if (value.type === "string" && isLoose(value) && /^(?:true|false)$/.test(value.value))
      return value.value === "true";
    return refuse(this, value, label, reader, hintForBool(value));
  },
}));

/** A hint for the words of other languages, and for quotes. */
function hintForBool(value: Value): string | undefined {
  const word = value.type === "string" || value.type === "integer" ? String(value.value).toLowerCase() : "";
  const quotes = value.type === "string" && !isLoose(value) ? ", without quotes" : "";
  if (/^(?:true|on|yes|enabled|1)$/.test(word)) return `write true${quotes}`;
  return /^(?:false|off|no|disabled|0)$/.test(word) ? `write false${quotes}` : undefined;
}

/** An integer from 0: `0`, `314`. Signs, fractions and leading zeros are not allowed. */
export const integer = propMaker<number, number, Range<number>>((range) =>
  amountType({ name: "integer", takes: "an integer", example: "", literals: ["integer"], print: String }, range),
);

/** A number of bytes: `64`, or with 1024-based units: `64K`, `2M`, `3G`, `4T`. */
export const size = propMaker<number, Size, Range<Size>>((range) =>
  amountType(
    { name: "size", takes: "a size", example: " such as 64K", literals: ["size", "integer"], print: printSize },
    range,
  ),
);

/**
 * In milliseconds, seconds, minutes, hours or days, always with the unit: `500ms`, `30s`, `2m`, `3h`, `4d`. At most
 * 24d, unless `max` says otherwise: a duration that no timer waits for, such as how long a client may keep an answer,
 * has a `max` of its own.
 */
export const duration = propMaker<number, Duration, Range<Duration>>((range) => {
  const type = amountType(
    { name: "duration", takes: "a duration", example: " such as 30s", literals: ["duration"], print: printDuration },
    range,
  );
  return range?.max === undefined ? forTimers(type) : type;
});

/**
 * `setTimeout` takes 2^31 − 1 ms, or 24.8 days, and fires at once for more: a limit that was meant to be generous would
 * cut everything off.
 */
const longestTimer = 24 * 24 * 60 * 60 * 1000;

function forTimers(type: PropType<number>): PropType<number> {
  return {
    ...type,
    read(value, label, reader) {
      const amount = type.read(value, label, reader);
      if (amount === undefined || amount <= longestTimer) return amount;
      const takes = `a duration of at most ${printDuration(longestTimer)}`;
      return refuse({ takes }, value, label, reader, "no timer can wait for longer");
    },
  };
}

interface Amount {
  readonly name: "integer" | "size" | "duration";
  readonly takes: string;
  readonly example: string;
  /** The literals of the language in which it can be written. */
  readonly literals: readonly ("integer" | "size" | "duration")[];
  readonly print: (amount: number) => string;
}

function amountType(
  { name, takes, example, literals, print }: Amount,
  range: Range<Size | Duration> = {},
): PropType<number> {
  const min = amountOf(range.min) ?? 0;
  const max = amountOf(range.max) ?? Number.MAX_SAFE_INTEGER;
  return {
    name,
    takes: takes + bounds(min, max, print, example),
    read(value, label, reader) {
      const amount = literalIn(value);
      // In TypeScript, a plain number means bytes or milliseconds.
      const isRight =
        amount !== undefined &&
        (literals.includes(amount.type) || (amount.type === "integer" && value.span.source.text === undefined));
      if (isRight && amount.value >= min && amount.value <= max) return amount.value;
      const lacksUnit = !isRight && amount?.type === "integer";
      const hint = lacksUnit ? `did you mean ${amount.value}s or ${amount.value}ms?` : hintForQuotes(value, literals);
      return refuse(this, value, label, reader, hint);
    },
    jsonSchema() {
      const asNumber = { type: "integer", minimum: min, maximum: max };
      return name === "integer" ? asNumber : { anyOf: [asNumber, { type: "string", pattern: unitPatterns[name] }] };
    },
  };
}

/** The text forms of a size and a duration. */
const unitPatterns = { size: "^(?:0|[1-9][0-9]*)[KMGT]$", duration: "^(?:0|[1-9][0-9]*)(?:ms|[smhd])$" };

/** The number of a value, or of its text where a text is allowed instead. */
function literalIn(value: Value): { readonly type: Amount["literals"][number]; readonly value: number } | undefined {
  if (value.type === "integer") return Number.isSafeInteger(value.value) ? value : undefined;
  if (value.type === "size" || value.type === "duration") return value;
  if (value.type !== "string" || !isLoose(value)) return undefined;
  const literal = readNumber(value.value);
  return literal.type === "bad" ? undefined : literal;
}

/** A hint for a literal in quotes, and for units of other programs: `"10MB"`, `"5 seconds"`. */
function hintForQuotes(value: Value, literals: Amount["literals"]): string | undefined {
  if (value.type !== "string" || isLoose(value)) return undefined;
  const [, digits = "", unit = ""] = /^(\d+) ?([a-zA-Z]*)$/.exec(value.value) ?? [];
  const known = unit === "ms" ? [unit] : [unit, unit.charAt(0).toLowerCase(), unit.charAt(0).toUpperCase()];
  const written = known
    .map((unit) => digits + unit)
    .find((text) => {
      const literal = readNumber(text);
      return literal.type !== "bad" && literals.includes(literal.type);
    });
  return written === undefined ? undefined : `write ${written}, without quotes`;
}

/** ` from 1 to 100`. Without bounds, an example shows the notation. */
function bounds(min: number, max: number, print: (amount: number) => string, example: string): string {
  if (max < Number.MAX_SAFE_INTEGER)
    return min === 0 ? ` of at most ${print(max)}` : ` from ${print(min)} to ${print(max)}`;
  return min > 0 ? ` of at least ${print(min)}` : example;
}

function amountOf(written: Size | Duration | undefined): number | undefined {
  if (typeof written !== "string") return written;
  const literal = readNumber(written);
  return literal.type === "bad" ? undefined : literal.value;
}
