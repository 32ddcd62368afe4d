// Which program a path leads to.

/** A script, by its path in the webapp. */
export interface ScriptPath {
  /** `/blog/index.php` */
  readonly name: string;
  /** What stands behind it: `/2026/11`, or "". */
  readonly pathInfo: string;
}

export interface ScriptRules {
  /** Of a path that ends with "/". */
  readonly indexFile: string;
  /** Endings of scripts, such as `.php`, behind which more of a path may come; empty: a path is a script, whatever it ends with. */
  readonly endings: readonly string[];
}

/** `undefined`: none. The first of its parts that has one of the endings is the script. */
export function scriptOf(path: string, { indexFile, endings }: ScriptRules): ScriptPath | undefined {
  const whole = path.endsWith("/") ? path + indexFile : path;
  if (endings.length === 0) return { name: whole, pathInfo: "" };
  for (let end = whole.indexOf("/", 1); ; end = whole.indexOf("/", end + 1)) {
    const name = end < 0 ? whole : whole.slice(0, end);
    // A name that is nothing but the ending is a hidden file.
    if (endings.some((ending) => name.endsWith(ending) && !name.endsWith(`/${ending}`))) {
      // Of `/a.php/`, the index file is no part that anybody asked for.
      return { name, pathInfo: path.slice(name.length) };
    }
    if (end < 0) return undefined;
  }
}
