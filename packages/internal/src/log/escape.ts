// Makes text from peers harmless in a log: one record stays one record, and a terminal only ever shows text.

/**
 * What never reaches a log as it is: C0 and C1 controls and DEL (forged lines, terminal escapes), the Unicode line ends,
 * the marks that turn the direction of text ("Trojan Source", CVE-2021-42574), invisible joiners, and lone surrogates.
 */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** Replaces each such character by `\n`, `\r`, `\t` or `\uXXXX`. The result is also right inside a JSON string. */
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
