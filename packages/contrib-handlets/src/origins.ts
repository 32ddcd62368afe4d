// Patterns of origins, as the field `origin` holds them (RFC 6454 6.2).

/** `*`, an exact origin, or one whose host is any name below a suffix. */
type OriginPattern =
  | { readonly type: "any" }
  | { readonly type: "exact"; readonly origin: string }
  /** `start` is `https://`, `end` is `.shop.example:8443`; in between stand one label or more. */
  | { readonly type: "suffix"; readonly start: string; readonly end: string };

/** Which origins a list of patterns means; built once, then only asked. */
export class OriginSet {
  /** Whether it holds all, `null` too. */
  readonly isAny: boolean;
  readonly #exact = new Set<string>();
  readonly #suffixes: Extract<OriginPattern, { readonly type: "suffix" }>[] = [];

  /** What is no pattern is left out. */
  constructor(texts: readonly string[]) {
    let isAny = false;
    for (const text of texts) {
      const pattern = parseOriginPattern(text);
      if (pattern?.type === "any") isAny = true;
      else if (pattern?.type === "exact") this.#exact.add(pattern.origin);
      else if (pattern !== undefined) this.#suffixes.push(pattern);
    }
    this.isAny = isAny;
  }

  has(origin: string): boolean {
    if (this.isAny || this.#exact.has(origin)) return true;
    return this.#suffixes.some(
      ({ start, end }) =>
        origin.length > start.length + end.length &&
        origin.startsWith(start) &&
        origin.endsWith(end) &&
        /^[a-z0-9_.-]+$/.test(origin.slice(start.length, -end.length)),
    );
  }
}

/**
 * Reads `*`, `https://shop.example:8443`, `https://*.shop.example`, or `*.shop.example`, which is short for the latter.
 * It must be written as browsers write it, for it is compared as text: in lower case, without path and without the
 * scheme's own port.
 */
export function parseOriginPattern(text: string): OriginPattern | undefined {
  if (text === "*") return { type: "any" };
  const full = text.startsWith("*.") ? `https://${text}` : text;
  const [start = "", end] = full.split("*");
  if (end === undefined) return isOrigin(full) ? { type: "exact", origin: full } : undefined;
  // One star, for whole labels, at the host's beginning.
  if (!start.endsWith("://") || !end.startsWith(".") || !isOrigin(`${start}a${end}`)) return undefined;
  return full === `${start}*${end}` ? { type: "suffix", start, end } : undefined;
}

/** What may have been meant by a text that is no pattern. */
export function originLike(text: string): string | undefined {
  const origin = URL.parse(text.replace("//*.", "//star."))?.origin.replace("//star.", "//*.");
  return origin === undefined || parseOriginPattern(origin) === undefined ? undefined : origin;
}

function isOrigin(text: string): boolean {
  if (/^https?:/.test(text)) return URL.parse(text)?.origin === text;
  // Apps and browser extensions have schemes of their own, such as `capacitor://localhost`.
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::[0-9]{1,5})?$/.test(text);
}
