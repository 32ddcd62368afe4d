// Escapes text of a peer: it cannot end the line or leave its quotes.

/**
 * Like nginx: quotes, backslashes and everything except printable ASCII as `\xHH`. The peer's bytes are kept, whatever
 * their encoding.
 */
export function escapeQuoted(text: string): string {
  return isSafe(text) ? text : text.replace(unsafe, byteEscape);
}

/** The inside of a JSON string, in ASCII: valid for every reader, and harmless on every terminal. */
export function escapeJSON(text: string): string {
  return isSafe(text) ? text : text.replace(unsafe, jsonEscape);
}

const unsafe = /[^\x20-\x7e]|["\\]/g;

/** Most text is safe. For short texts, the loop is cheaper than a regular expression. */
function isSafe(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false;
  }
  return true;
}

function byteEscape(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
}

function jsonEscape(character: string): string {
  if (character === '"' || character === "\\") return `\\${character}`;
  return `\\u${hex(character.charCodeAt(0), 4)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, "0");
}
