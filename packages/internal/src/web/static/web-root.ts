// The folder that static files are in, and what is inside of it.

import { realpath } from "node:fs/promises";
import type { DirectoryEntry, FileEntry } from "../../fixtures/fcache-entry.ts";
import type { Fcache } from "../../fixtures/fcache.ts";
import type { ErrorLog } from "../../log/error-log.ts";

/** Either may be reached by a symbolic link. */
type Found = FileEntry | DirectoryEntry;

export class WebRoot {
  readonly path: string;
  readonly #log: ErrorLog;
  /** Without symbolic links, as last seen; ends with "/". */
  #realPath: string | undefined;
  /** What was found outside, and told of in the log. */
  readonly #outside = new WeakSet<Found>();

  constructor(path: string, log: ErrorLog) {
    this.path = path;
    this.#log = log;
  }

  async prepare(fcache: Fcache): Promise<void> {
    const root = await fcache.open(this.path);
    if (root.kind === "directory") this.#realPath = withSlash(root.realPath);
    else this.#log.warn(`the web root ${this.path} is no folder that can be read, as yet: ${root.kind}`);
  }

  /** `realPath`: absolute, without symbolic links. Judged by the root as it was last seen. */
  contains(realPath: string): boolean {
    return this.#realPath !== undefined && isIn(this.#realPath, realPath);
  }

  /** Whether `admits` has said no to it before. */
  isOutside(found: Found): boolean {
    return this.#outside.has(found);
  }

  /**
   * Whether it is inside. The root may be a symbolic link, and lead elsewhere by now: that is how many deploy a
   * release. So the root is looked at again before a no, which the log is told of.
   */
  async admits(found: Found): Promise<boolean> {
    if (this.contains(found.realPath)) return true;
    if (this.isOutside(found)) return false;
    await this.#lookAgain();
    if (this.contains(found.realPath)) return true;
    if (!this.isOutside(found)) {
      this.#outside.add(found);
      this.#log.warn(`${found.path} is not sent: it leads to ${found.realPath}, outside of the web root`);
    }
    return false;
  }

  async #lookAgain(): Promise<void> {
    try {
      this.#realPath = withSlash(await realpath(this.path));
    } catch {
      // It is not there now. What was found in it before may still be sent.
    }
  }
}

/** As `admits`, for a web root as it is now; no log is told. `path`: absolute, without symbolic links. */
export async function isInWebRoot(webRoot: string, path: string): Promise<boolean> {
  try {
    return isIn(withSlash(await realpath(webRoot)), path);
  } catch {
    return false;
  }
}

/** `root` ends with "/"; both without symbolic links. */
function isIn(root: string, realPath: string): boolean {
  return realPath.startsWith(root) || withSlash(realPath) === root;
}

function withSlash(folder: string): string {
  return folder.endsWith("/") ? folder : folder + "/";
}
