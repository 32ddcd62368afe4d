// Finds the value of a hostname: exact name, then longest suffix, then longest prefix, then `*`.

import { hostnameForms, parseHostnamePattern } from "../../component/props/hostnames.ts";
import { HemiError } from "../../errors/hemi-error.ts";

/** Built once, then read only. */
export class HostnameTable<T> {
  readonly #exact = new Map<string, T>();
  readonly #suffixes = new Map<string, T>();
  readonly #prefixes = new Map<string, T>();
  #any: T | undefined;

  /** Throws `HEMI_CONFIG_BAD_VALUE` for an invalid pattern, and for a pattern with two different values. */
  constructor(entries: Iterable<readonly [pattern: string, value: T]>) {
    for (const [text, value] of entries) this.#add(text, value);
  }

  /**
   * `hostname` in the form that `parseAuthority` returns: lower case, without a trailing dot. Costs at most one look-up
   * per label.
   */
  find(hostname: string): T | undefined {
    const exact = this.#exact.get(hostname);
    if (exact !== undefined) return exact;
    // An address in brackets has no labels, although it may contain dots.
    if (hostname.charCodeAt(0) === openingBracket) return this.#any;
    if (this.#suffixes.size > 0) {
      for (let dot = hostname.indexOf("."); dot !== -1; dot = hostname.indexOf(".", dot + 1)) {
        const found = this.#suffixes.get(hostname.slice(dot + 1));
        if (found !== undefined) return found;
      }
    }
    if (this.#prefixes.size > 0) {
      for (let dot = hostname.lastIndexOf("."); dot > 0; dot = hostname.lastIndexOf(".", dot - 1)) {
        const found = this.#prefixes.get(hostname.slice(0, dot));
        if (found !== undefined) return found;
      }
    }
    return this.#any;
  }

  #add(text: string, value: T): void {
    const pattern = parseHostnamePattern(text);
    if (pattern === undefined) throw new HemiError("HEMI_CONFIG_BAD_VALUE", `"${text}" is not ${hostnameForms}`);
    let taken: T | undefined;
    if (pattern.type === "any") {
      taken = this.#any;
      this.#any = value;
    } else {
      const [map, key] =
        pattern.type === "exact"
          ? [this.#exact, pattern.hostname]
          : pattern.type === "suffix"
            ? [this.#suffixes, pattern.suffix]
            : [this.#prefixes, pattern.prefix];
      taken = map.get(key);
      map.set(key, value);
    }
    if (taken !== undefined && taken !== value)
      throw new HemiError("HEMI_CONFIG_BAD_VALUE", `the hostname "${text}" is given twice`);
  }
}

const openingBracket = 0x5b;
