// What of a configuration must not be shown to those who look at a running program: passwords, tokens, keys.

import { lex, type Token } from "../config/lexer.ts";

/** What is shown instead. */
export const hiddenText = "•••";

/**
 * Whether a prop, or an entry of a dict, holds a secret by its name: `password`, `users`, `clientSecret`,
 * `authorization`.
 */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

const secretName = new RegExp(
  [
    "password|passphrase|secret|token|credential|authorization|cookie$",
    "^users$|^keys?$|(?:api|access|private|signing)-?key",
  ].join("|"),
  "i",
);

/** The text of a value without the password of a URL: `redis://ann:•••@host`. */
export function withoutUrlPassword(text: string): string {
  return text.replace(/(\/\/[^\s/:@"']*:)[^\s/@"']+@/g, `$1${hiddenText}@`);
}

/** A text of the configuration language in which the strings of secret props are hidden. Lines stay where they are. */
export function withoutSecrets(text: string): string {
  const { source, tokens } = lex({ name: "", text });
  const shown: string[] = [];
  let from = 0;
  for (const { start, end } of secretStrings(source.text, tokens)) {
    const quote = source.text.charAt(start);
    const lineEnds = source.text.slice(start, end).replace(/[^\n]/g, "");
    shown.push(source.text.slice(from, start), quote, hiddenText, lineEnds, quote);
    from = end;
  }
  return withoutUrlPassword(shown.join("") + source.text.slice(from));
}

/** The strings in the values of props and entries whose names are those of secrets. */
function* secretStrings(text: string, tokens: readonly Token[]): Iterable<Token> {
  for (const [i, { kind, start, end }] of tokens.entries()) {
    const next = tokens[i + 1]?.kind;
    const name =
      kind === "property" && next === "="
        ? text.slice(start + 1, end)
        : (kind === "string" || kind === "word") && next === ":"
          ? text.slice(start, end).replace(/^["'`]|["'`]$/g, "")
          : "";
    if (isSecretName(name)) yield* stringsOfValue(tokens, i + 2);
  }
}

/** Those of the value that begins there: up to the bracket that closes it, or up to the next entry or prop. */
function* stringsOfValue(tokens: readonly Token[], first: number): Iterable<Token> {
  let depth = 0;
  for (let i = first; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === undefined) return;
    const { kind } = token;
    if (kind === "(" || kind === "[") depth++;
    else if (kind === ")" || kind === "]") depth--;
    else if (kind === "string" && tokens[i + 1]?.kind !== ":") yield token;
    if (depth < 0 || (depth === 0 && tokens[i + 1]?.kind !== "+" && kind !== "+")) return;
  }
}
