// Sets of media types, as props name them: "text/html", "text/*", "*+json", "*".

import { memoizeField } from "@hemi/internal";

/** For the prop's `pattern`. */
export const mediaTypePattern = {
  expression: /^(?:\*|\*\+[!#$&^_.+\-0-9A-Za-z]+|[!#$&^_.+\-0-9A-Za-z]+\/(?:\*|[!#$&^_.+\-0-9A-Za-z]+))$/,
  takes: 'a media type such as "text/html", "text/*", "*+json" or "*"',
};

/** Says of a `content-type`, its parameters included, whether it is in the set. No type is in none. */
export function mediaTypeSet(patterns: readonly string[]): (contentType: string | undefined) => boolean {
  const names = new Set(patterns.map((pattern) => pattern.toLowerCase()));
  return memoizeField((field) => {
    const type = /^[^;, \t]*/.exec(field)?.[0].toLowerCase() ?? "";
    if (type === "") return false;
    const suffix = /\+[^+]+$/.exec(type)?.[0] ?? "";
    return names.has(type) || names.has("*") || names.has(type.replace(/\/.*/, "/*")) || names.has(`*${suffix}`);
  });
}
