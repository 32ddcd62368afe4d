// Text of others for a terminal.

/** Names of a configuration and what clients send may have any characters, and must not command the terminal. */
export function plainText(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a1-\uffff]/g, "?");
}
