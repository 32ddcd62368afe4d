// Patterns that no value of a variable can match, however the request looks: most likely slips of the pen.

import type { CompareOperator } from "../../config/spec.ts";
import { quote } from "../../config/quote.ts";

export interface PatternDoubt {
  readonly message: string;
  readonly hint: string;
}

/** `undefined` if the pattern may match, or is not known not to. */
export function doubtOfPattern(variable: string, operator: CompareOperator, pattern: string): PatternDoubt | undefined {
  const isWhole = operator === "==" || operator === "!=";
  if (!isWhole && operator !== "^=" && operator !== "!^") return doubtOfExpression(variable, operator, pattern);
  const first = firstCharacters[variable];
  // A request for the server as a whole has the path "*".
  if (first !== undefined && pattern !== "" && pattern !== "*" && !pattern.startsWith(first)) {
    const name = `$${variable}`;
    const message = `${name} begins with ${quote(first)}, and ${quote(pattern)} does not`;
    return { message, hint: didYouMean(first + pattern) };
  }
  const form = isWhole ? forms[variable] : undefined;
  const wanted = form?.of(pattern) ?? pattern;
  if (form === undefined || wanted === pattern) return undefined;
  return { message: `$${variable} is ${form.is}, and ${quote(pattern)} is not`, hint: didYouMean(wanted) };
}

/** Variables that begin with the same character, unless they are empty. */
const firstCharacters: Readonly<Record<string, string>> = {
  ...{ path: "/", encodedPath: "/", uri: "/", originalURI: "/" },
  ...{ queryString: "?", colonPort: ":" },
};

/** What a whole value looks like, and the pattern in that form. */
const forms: Readonly<Record<string, { readonly is: string; of(this: void, pattern: string): string }>> = {
  method: { is: "in upper case", of: (pattern) => (isKnownMethod(pattern) ? pattern.toUpperCase() : pattern) },
  scheme: { is: "in lower case, without a colon", of: (pattern) => pattern.toLowerCase().replace(/:.*$/, "") },
  hostname: {
    is: "in lower case, without scheme, port and dot at its end",
    of: (pattern) =>
      pattern
        .toLowerCase()
        .replace(/^[a-z]+:\/\//, "")
        .replace(/^([^:[\]]+):\d+$/, "$1")
        .replace(/\.$/, ""),
  },
};

/** Other methods may exist, but none that differs from these by its case alone. */
function isKnownMethod(pattern: string): boolean {
  return /^(?:get|head|post|put|delete|patch|options|connect|trace)$/i.test(pattern);
}

/** Only of those that are tied to the beginning, and begin with a letter or digit that may not be missing. */
function doubtOfExpression(variable: string, operator: CompareOperator, pattern: string): PatternDoubt | undefined {
  const first = firstCharacters[variable];
  if (first === undefined || !operator.includes("~") || !/^\^\w(?![?*{])[^|]*$/s.test(pattern)) return undefined;
  return {
    message: `$${variable} begins with ${quote(first)}, and what matches ${quote(pattern)} does not`,
    hint: didYouMean(`^${first === "?" ? "\\?" : first}${pattern.slice(1)}`),
  };
}

/** As the language writes it: its strings have no escapes. */
function didYouMean(pattern: string): string {
  return `did you mean "${pattern}"?`;
}
