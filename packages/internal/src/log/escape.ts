// Makes text from peers harmless in a log: one record stays one record, and a terminal shows only text.

/**
 * Characters that are never written to a log: C0 and C1 controls and DEL (forged lines, terminal escapes), Unicode line
 * separators, bidirectional marks ("Trojan Source", CVE-2021-42574), invisible joiners, and lone surrogates.
 */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** Replaces each such character by ` `, `\r`, `\t` or `\uXXXX`. The result is also valid inside a JSON string. */
export function escapeUnsafe(text: string): string {
  return text.replace(unsafe, escapeOne);
}

function escapeOne(character: string): string {
  switch (character) {
    case "\n":
      return "\\n";
    case "\r":
      return "\\r";
    case "\t":
      return "\\t";
    default:
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  }
}
