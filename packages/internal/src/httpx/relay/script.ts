// Which program a path leads to.

import { slashInSegment } from "../../web/request/path.ts";

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

/**
 * `path`: segmented. `undefined`: it leads to none. The first of its parts that has one of the endings is the script. No file's name holds a slash, a
 * backslash or what is not UTF-8; what stands behind the script may.
 */
export function scriptOf(path: string, { indexFile, endings }: ScriptRules): ScriptPath | undefined {
  const whole = path.endsWith("/") ? path + indexFile : path;
  if (endings.length === 0) return isFileName(whole) ? { name: whole, pathInfo: "" } : undefined;
  for (let end = whole.indexOf("/", 1); ; end = whole.indexOf("/", end + 1)) {
    const name = end < 0 ? whole : whole.slice(0, end);
    // A name that is nothing but the ending is a hidden file.
    if (endings.some((ending) => name.endsWith(ending) && !name.endsWith(`/${ending}`))) {
      // Of `/a.php/`, the index file is no part that anybody asked for.
      const pathInfo = path.slice(name.length).replaceAll(slashInSegment, "/");
      return isFileName(name) ? { name, pathInfo } : undefined;
    }
    if (end < 0) return undefined;
  }
}

function isFileName(name: string): boolean {
  return !name.includes(slashInSegment) && !name.includes("\\") && !name.includes("\uFFFD");
}
