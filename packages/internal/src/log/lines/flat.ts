// Flattens strings that are written many times.

/**
 * V8 keeps the parts of a concatenated string, and each costs again whenever the string is written. Reading a character
 * flattens it.
 */
export function flat(text: string): string {
  text.charCodeAt(0);
  return text;
}
