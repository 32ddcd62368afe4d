// A set of names of fields that is asked for each field of each message.

import { isPlainNameByte } from "./bytes.ts";

/** Names in lower case. To make one takes time that is linear in the names, whatever they are: they may be a peer's. */
export class FieldNames {
  /**
   * Whether each name that is not plain is in the set, too. Where fields become variables, CGI, WSGI and PHP make an
   * underscore of a hyphen, PHP of a dot, and others of whatever else is no letter and no digit: `x.user` and `x_user`
   * are `x-user` then.
   */
  readonly hasUnplain: boolean;
  readonly #names: ReadonlySet<string>;
  readonly #byLength: string[][] = [];

  /** `hasUnplain`: default false. */
  constructor(names: Iterable<string>, { hasUnplain = false }: { readonly hasUnplain?: boolean } = {}) {
    this.hasUnplain = hasUnplain;
    this.#names = new Set(names);
    for (const name of this.#names) {
      while (this.#byLength.length <= name.length) this.#byLength.push([]);
      this.#byLength[name.length]?.push(name);
    }
  }

  /** Whether a name is among them, whatever its letter case. */
  has(name: string): boolean {
    return this.#names.has(name) || (this.hasUnplain && !isPlainName(name));
  }

  /** Those that have so many characters: most fields are told apart by that alone. */
  ofLength(length: number): readonly string[] {
    return this.#byLength[length] ?? none;
  }

  /** These and others. */
  with(names: Iterable<string>): FieldNames {
    return new FieldNames([...this.#names, ...names], this);
  }
}

const none: readonly string[] = [];

/** Whether a name, from `start` to `end` of a text, has letters, digits and hyphens only. */
export function isPlainName(text: string, start = 0, end = text.length): boolean {
  for (let at = start; at < end; at++) if (isPlainNameByte[text.charCodeAt(at)] !== 1) return false;
  return true;
}

/** Fields that belong to one connection, or tell where a message ends: no proxy passes them on (RFC 9110 7.6.1). */
export const connectionFields: readonly string[] = [
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
];

/**
 * Fields of a request that belong to its connection and its message: a request that is made in its stead has none of
 * them (RFC 9110 7.6.1).
 */
export const ownRequestFields: readonly string[] = [...connectionFields, "expect", "trailer"];

/** Fields by which a client asks for a response under conditions, or for parts of it (RFC 9110 sections 13, 14). */
export const conditionNames: readonly string[] = [
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "range",
];

/** May a field of this name be passed on behind the content, or in a 1xx answer? Not if it frames the message. */
export function isTrailerName(name: string): boolean {
  return !connectionFields.includes(name);
}

/**
 * Fields that a receiver might take for some of the head: none is passed on to a node behind the content (RFC 9110
 * 6.5.1).
 */
export const notInTrailers = new FieldNames(
  [
    ...connectionFields,
    "authorization",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "max-forwards",
    "trailer",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
  ],
  { hasUnplain: true },
);
