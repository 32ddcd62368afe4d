// Number literals of the language: integers, sizes and durations. Also used for `%env` and for strings in TypeScript
// objects.

/** The meaning of a literal; `bad` with the reason. */
export type NumberLiteral =
  | { readonly type: "integer" | "size" | "duration"; readonly value: number }
  | { readonly type: "bad"; readonly message: string; readonly hint: string | undefined };

const sizeUnits: readonly (readonly [unit: string, bytes: number])[] = [
  ["T", 1024 ** 4],
  ["G", 1024 ** 3],
  ["M", 1024 ** 2],
  ["K", 1024],
];
const durationUnits: readonly (readonly [unit: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];
const unitSizes = new Map(sizeUnits);
const unitDurations = new Map(durationUnits);
const unitsHint = "sizes end in K, M, G or T, durations in ms, s, m, h or d";

/**
 * Parses `314`, `2M` (bytes) or `500ms` (milliseconds). Refuses values above 2^53 - 1, signs, fractions and leading
 * zeros.
 */
export function readNumber(text: string): NumberLiteral {
  let value = 0;
  let at = 0;
  for (; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (at === 0) return bad(text, "is not a number", undefined);
  if (at > 1 && text.startsWith("0")) return bad(text, "has a leading zero", undefined);
  if (at === text.length) return Number.isSafeInteger(value) ? { type: "integer", value } : tooLarge(text);
  const unit = text.slice(at);
  const bytes = unitSizes.get(unit);
  const ms = unitDurations.get(unit);
  const product = value * (bytes ?? ms ?? 1);
  if (bytes === undefined && ms === undefined) return bad(text, "is not a number", hintFor(text.slice(0, at), unit));
  if (!Number.isSafeInteger(product)) return tooLarge(text);
  return { type: bytes === undefined ? "duration" : "size", value: product };
}

/** Formats bytes with the largest unit that divides them; without such a unit as a plain integer. */
export function printSize(bytes: number): string {
  if (bytes === 0) return "0K";
  for (const [unit, size] of sizeUnits) if (bytes % size === 0) return `${bytes / size}${unit}`;
  return String(bytes);
}

/** Formats milliseconds with the largest unit that divides them. */
export function printDuration(ms: number): string {
  if (ms === 0) return "0ms";
  for (const [unit, size] of durationUnits) if (ms % size === 0) return `${ms / size}${unit}`;
  return `${ms}ms`;
}

function hintFor(digits: string, unit: string): string {
  if (unit.includes(".") || unit.includes(":")) return "there are no fractions; an address stands in quotes";
  const size = unit.charAt(0).toUpperCase();
  // `1m` and `1M` are both valid with different meanings, so a unit is suggested only if it is unambiguous.
  if (/^[kgtKGT][bB]?$|^MB$|^[kmgtKMGT]iB$/.test(unit)) return `did you mean ${digits}${size}?`;
  if (/^[SHD]$|^(secs?|seconds?|mins?|minutes?|hours?|days?)$/.test(unit)) {
    return `did you mean ${digits}${size.toLowerCase()}?`;
  }
  return unitsHint;
}

function bad(text: string, what: string, hint: string | undefined): NumberLiteral {
  return { type: "bad", message: `${text.length > 40 ? `${text.slice(0, 40)}…` : text} ${what}`, hint };
}

function tooLarge(text: string): NumberLiteral {
  return bad(text, "is too large", `the largest is ${Number.MAX_SAFE_INTEGER}`);
}
