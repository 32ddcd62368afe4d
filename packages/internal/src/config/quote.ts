// How pieces of a configuration are shown within messages.

const longest = 60;

/** In double quotes, shortened if long, with everything that would disturb a terminal written as an escape. */
export function quote(text: string): string {
  const short = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return JSON.stringify(short).replace(disturbing, escapeOf);
}

/** With everything that would disturb a terminal written as an escape. */
export function escapeControls(text: string): string {
  return text.replace(/[\0-\x1f]/g, escapeOf).replace(disturbing, escapeOf);
}

function escapeOf(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Controls that JSON leaves as they are, and characters that turn the direction of text. */
const disturbing = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Can the language write this as one string? Its strings have no escapes. */
export function isQuotable(text: string): boolean {
  return !text.includes('"') || !text.includes("`");
}
