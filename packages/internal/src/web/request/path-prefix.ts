// A prefix of paths, as the props of handlets have it.

/** For the `pattern` of a prop such as `stripPrefix`. */
export const pathPrefix = {
  /** What it must match. */
  expression: /^\/[\x21-\x22\x24-\x3e\x40-\x7e]*[^/]$/,
  /** What it is, for messages. */
  takes: "a path that begins with / and does not end with it",
};

/**
 * `/api/x` without `/api` is `/x`; `/api` and `/api?q` give `/` and `/?q`; `undefined` for what does not begin with it,
 * such as `/apix`. `path` is encoded and may have a query; `prefix` is not empty. The prefix is met as conditions meet
 * paths: encoded letters are letters, and several slashes are one. An encoded slash is none here: it stands within a
 * segment.
 */
export function withoutPrefix(prefix: string, path: string): string | undefined {
  const end = path.startsWith(prefix) ? prefix.length : endOfPrefix(prefix, path);
  if (end === undefined) return undefined;
  const rest = path.slice(end);
  if (rest === "" || rest.startsWith("?") || rest.startsWith("#")) return "/" + rest;
  return rest.startsWith("/") ? rest : undefined;
}

/**
 * Where in `path`, which may be encoded in other places than `prefix`, the prefix ends; `undefined` if the path does
 * not begin with it.
 */
function endOfPrefix(prefix: string, path: string): number | undefined {
  let at = 0;
  for (let i = 0; i < prefix.length;) {
    const wanted = octetAt(prefix, i);
    const found = octetAt(path, at);
    if (found.octet !== wanted.octet) return undefined;
    i += wanted.size;
    at += found.size;
    if (wanted.octet === "/") while (path[at] === "/") at++;
  }
  return at;
}

/** `%2F` stays what it is, in upper case. */
function octetAt(text: string, at: number): { readonly octet: string; readonly size: number } {
  const [triplet, digits = ""] = text[at] === "%" ? (/^%([0-9A-Fa-f]{2})/.exec(text.slice(at, at + 3)) ?? []) : [];
  if (triplet === undefined) return { octet: text[at] ?? "", size: 1 };
  const octet = String.fromCharCode(parseInt(digits, 16));
  return { octet: octet === "/" ? "%2F" : octet, size: 3 };
}
