// The bytes that HTTP/1 messages are made of, and tables that tell in one look what a byte may be.

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;

/** 1 for each byte of a token: method, field name (RFC 9110 5.6.2). */
export const isTokenByte = byteTable("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

/** 1 for each byte of a field name that programs cannot take for another one: letters, digits and hyphens. */
export const isPlainNameByte = byteTable("-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

/** 1 for each byte of a request target: visible ASCII. What may stand where in it is checked with the path. */
export const isTargetByte = byteRange(0x21, 0x7e);

/** Percent-encodes what a request target holds above ASCII. `target`: a character for each byte. */
export function encodeRawBytes(target: string): string {
  return target.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** 1 for each byte of a field value (RFC 9110 5.5): visible ASCII, space, tab, obs-text. So not NUL, CR, LF or DEL. */
export const isValueByte = byteRange(0x20, 0x7e);
isValueByte[TAB] = 1;
isValueByte.fill(1, 0x80);

/** A byte's value as a hexadecimal digit, 255 for others. */
export const hexValue = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit++) {
  const text = digit.toString(16);
  hexValue[text.charCodeAt(0)] = digit;
  hexValue[text.toUpperCase().charCodeAt(0)] = digit;
}

/** Each byte in lower case, if it is an ASCII letter. */
export const lowerCase = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) lowerCase[byte] = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;

function byteTable(members: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const member of members) table[member.charCodeAt(0)] = 1;
  return table;
}

function byteRange(first: number, last: number): Uint8Array {
  return new Uint8Array(256).fill(1, first, last + 1);
}

/** Are `size` bytes of the one the same as those of the other, each from a position on, from which it has as many? */
export function isSameBytes(one: Buffer, start: number, other: Buffer, otherStart: number, size: number): boolean {
  if (size > maxLooped) return one.compare(other, otherStart, otherStart + size, start, start + size) === 0;
  for (let i = 0; i < size; i++) if (one[start + i] !== other[otherStart + i]) return false;
  return true;
}

/** Copies `size` bytes, most often few. */
export function copyBytes(from: Buffer, start: number, to: Buffer, toStart: number, size: number): void {
  if (size > maxCopied) from.copy(to, toStart, start, start + size);
  else for (let i = 0; i < size; i++) to[toStart + i] = from[start + i] ?? 0;
}

/** To call out of JavaScript costs as much as to look at some hundred bytes. */
const maxLooped = 256;
/** Or as much as to copy these. */
const maxCopied = 64;
