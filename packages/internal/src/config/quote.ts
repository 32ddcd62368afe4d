// Formats pieces of a configuration for messages.

const longest = 60;

/** In double quotes, shortened if long, with control characters escaped. */
export function quote(text: string): string {
  const short = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return JSON.stringify(short).replace(disturbing, escapeOf);
}

/** Escapes all characters that would disturb a terminal. */
export function escapeControls(text: string): string {
  return text.replace(/[\0-\x1f]/g, escapeOf).replace(disturbing, escapeOf);
}

function escapeOf(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Control characters that JSON does not escape, and characters that change the text direction. */
const disturbing = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Whether the language can write this as one string. Its strings have no escapes. */
export function isQuotable(text: string): boolean {
  return !text.includes('"') || !text.includes("`");
}
