// One header field as it stands in a table, and what bytes it may be made of.

import { Buffer } from "node:buffer";
import { isTokenByte, isValueByte, SP, TAB } from "../../http/bytes.ts";

/** Names and values are text of the characters 0 to 255, one a byte. */
export interface HeaderField {
  /** In lower case unless there is a `fault`; that of a pseudo-field begins with a colon. */
  readonly name: string;
  /** May be empty. */
  readonly value: string;
  /**
   * Why no message may hold it (RFC 9113 8.2.1): it stands in the table all the same, because the sender's table has
   * it.
   */
  readonly fault: string | undefined;
}

/** What the field counts in a table (RFC 7541 4.1). */
export function sizeInTable(field: HeaderField): number {
  return field.name.length + field.value.length + 32;
}

/**
 * Secrets that could be guessed byte by byte by how well they compress: no intermediary may index them either (RFC 7541
 * 7.1).
 */
export const neverIndexedFields: ReadonlySet<string> = new Set([
  "authentication-info",
  "authorization",
  "cookie",
  "proxy-authentication-info",
  "proxy-authorization",
  "set-cookie",
]);

/** 1 for each byte of a field name: a token without capitals. */
const isNameByte = isTokenByte.slice();
isNameByte.fill(0, 0x41, 0x5b);

/** Why the bytes are no field name; `undefined` if they are one. A pseudo-field's name begins with a colon. */
export function nameFault(bytes: Uint8Array, start: number, end: number): string | undefined {
  const first = bytes[start] === 0x3a /* : */ ? start + 1 : start;
  if (first >= end) return "a field has no name";
  for (let at = first; at < end; at++) {
    if (isNameByte[bytes[at] ?? 0] === 0) return "a field name holds a capital or a byte that it may not hold";
  }
  return undefined;
}

/** Why no field may have the name of this one. A field has one fault for both: a bad value is no fault of its name. */
export function nameFaultOf({ name, fault }: HeaderField): string | undefined {
  if (fault === undefined) return undefined;
  const bytes = Buffer.from(name, "latin1");
  return nameFault(bytes, 0, bytes.length);
}

/** Why the bytes are no field value; `undefined` if they are one. */
export function valueFault(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (start === end) return undefined;
  if (isSpace(bytes[start]) || isSpace(bytes[end - 1])) return "a field value begins or ends with white space";
  for (let at = start; at < end; at++) {
    if (isValueByte[bytes[at] ?? 0] === 0) return "a field value holds a control byte";
  }
  return undefined;
}

function isSpace(byte: number | undefined): boolean {
  return byte === SP || byte === TAB;
}
