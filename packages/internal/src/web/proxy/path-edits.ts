// The path on its way through a proxy: one prefix taken away and another put before it, and back again in what the answer says.

export class PathEdits {
  readonly #strip: string;
  readonly #add: string;

  /** Both are "", or begin with a slash and end without one. */
  constructor(strip: string, add: string) {
    this.#strip = strip;
    this.#add = add;
  }

  get isEmpty(): boolean {
    return this.#strip === "" && this.#add === "";
  }

  /** The target that the backend is asked for. A path that does not begin with the prefix keeps what it begins with. */
  forward(uri: string): string {
    return this.#add + without(this.#strip, uri);
  }

  /** The path that a client has to ask for to get to a path of the backend. */
  back(path: string): string {
    const rest = without(this.#add, path);
    // Two slashes begin a host, and to browsers so does `/\\`: of `/app//evil.example` without `/app` a path has to be left.
    return this.#strip + (rest === path ? rest : rest.replace(/^[/\\]+/, "/"));
  }
}

/**
 * `/api/x` without `/api` is `/x`; `/api` and `/api?q` give `/` and `/?q`; `/apix` stays. The prefix is met as conditions meet paths: encoded
 * letters are letters, and several slashes are one. An encoded slash is none here: it stands within a segment.
 */
function without(prefix: string, path: string): string {
  if (prefix === "") return path;
  const end = path.startsWith(prefix) ? prefix.length : endOfPrefix(prefix, path);
  if (end === undefined) return path;
  const rest = path.slice(end);
  if (rest === "" || rest.startsWith("?") || rest.startsWith("#")) return "/" + rest;
  return rest.startsWith("/") ? rest : path;
}

/** Where in `path`, which may be encoded in other places than `prefix`, the prefix ends; `undefined` if the path does not begin with it. */
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
