// Flattens strings that are written many times.

import { Buffer } from "node:buffer";

/**
 * V8 keeps the parts of a concatenated string, and each costs again whenever the string is written. A copy has none,
 * keeps no longer text in memory that it was cut out of, and is written without a call into the runtime. Of characters
 * 0 to 255.
 */
export function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
