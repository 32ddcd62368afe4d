// Writes what QPACK is made of: integers behind the bits of a prefix (RFC 7541 5.1), and strings (RFC 9204 4.1.2).

import { huffmanSize, writeHuffman } from "@hemi/internal";

/** Writes an integer at `at`; `bits` stand above those of `mask`. Returns where it ends. */
export function writeInteger(bits: number, mask: number, value: number, bytes: Uint8Array, at: number): number {
  if (value < mask) {
    bytes[at++] = bits | value;
    return at;
  }
  bytes[at++] = bits | mask;
  let rest = value - mask;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 0x80;
  bytes[at++] = rest;
  return at;
}

/**
 * Writes a text at `at`, in the Huffman code if that is shorter; `bits` stand above those of `mask` and of the bit that
 * says so. Returns where it ends.
 */
export function writeText(bits: number, mask: number, text: string, bytes: Uint8Array, at: number): number {
  const size = huffmanSize(text);
  if (size < text.length) return writeHuffman(text, bytes, writeInteger(bits | (mask + 1), mask, size, bytes, at));
  at = writeInteger(bits, mask, text.length, bytes, at);
  for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
  return at;
}

/** One integer by itself, as an instruction is. */
export function integer(bits: number, mask: number, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(10);
  return bytes.subarray(0, writeInteger(bits, mask, value, bytes, 0));
}
