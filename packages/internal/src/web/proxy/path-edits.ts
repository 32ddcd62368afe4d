// The path on its way through a proxy: one prefix taken away and another put before it, and back again in what the
// answer says.

import { withoutPrefix } from "../request/path-prefix.ts";

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
    // Two slashes begin a host, and to browsers so does `/\\`: of `/app//evil.example` without `/app` a path has to be
    // left.
    return this.#strip + (rest === path ? rest : rest.replace(/^[/\\]+/, "/"));
  }
}

function without(prefix: string, path: string): string {
  return (prefix === "" ? undefined : withoutPrefix(prefix, path)) ?? path;
}
