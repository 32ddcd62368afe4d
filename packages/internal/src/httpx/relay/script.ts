// Finds the program for a path.

import { slashInSegment } from "../../web/request/path.ts";

/** A script, by its path in the webapp. */
export interface ScriptPath {
  /** `/blog/index.php` */
  readonly name: string;
  /** The rest of the path after it: `/2026/11`, or "". */
  readonly pathInfo: string;
}

export interface ScriptRules {
  /** The index file of a path that ends with "/". */
  readonly indexFile: string;
  /**
   * Extensions of scripts, such as `.php`, after which the path may continue. Empty: a path is a script, whatever its
   * extension.
   */
  readonly endings: readonly string[];
}

/**
 * `path`: segmented. `undefined`: there is no script. The first segment with one of the extensions is the script. File
 * names never contain a slash, a backslash or invalid UTF-8; the rest of the path may.
 */
export function scriptOf(path: string, { indexFile, endings }: ScriptRules): ScriptPath | undefined {
  const whole = path.endsWith("/") ? path + indexFile : path;
  if (endings.length === 0) return isFileName(whole) ? { name: whole, pathInfo: "" } : undefined;
  for (let end = whole.indexOf("/", 1); ; end = whole.indexOf("/", end + 1)) {
    const name = end < 0 ? whole : whole.slice(0, end);
    // A name that consists of the extension only is a hidden file.
    if (endings.some((ending) => name.endsWith(ending) && !name.endsWith(`/${ending}`))) {
      // For `/a.php/`, the index file was not requested.
      const pathInfo = path.slice(name.length).replaceAll(slashInSegment, "/");
      return isFileName(name) ? { name, pathInfo } : undefined;
    }
    if (end < 0) return undefined;
  }
}

function isFileName(name: string): boolean {
  return !name.includes(slashInSegment) && !name.includes("\\") && !name.includes("\uFFFD");
}
