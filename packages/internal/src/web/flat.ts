/** A text that V8 has joined of others keeps them, and each costs again whenever it is written; to look into it makes it one. */
export function flat(text: string): string {
  text.charCodeAt(0);
  return text;
}
