// The file tests of conditions: `$path -f` and its like, looked up under a web root.

import type { FileTestOperator } from "../../config/spec.ts";
import type { Fcache } from "../../fixtures/fcache.ts";
import type { Entry } from "../../fixtures/fcache-entry.ts";
import { namesNoFile } from "../request/path.ts";
import type { Request } from "../request/request.ts";

/** Makes the test for one web root. `fcache` is asked for when a request comes: at create it is not there yet. */
export function fileTestIn(
  webRoot: string,
  fcache: () => Fcache,
): (req: Request, operator: FileTestOperator) => boolean | Promise<boolean> {
  return function testFile(req, operator) {
    const { path } = req;
    const file = testedFile(webRoot, req);
    if (file === undefined) return isNegated(operator);
    const entry = fcache().peek(file);
    if (entry !== undefined) return passes(entry, path === "/", operator);
    return fcache()
      .open(file)
      .then((entry) => passes(entry, path === "/", operator));
  };
}

/** The file that a request's path names; `undefined` if no file can have such a name. */
export function testedFile(webRoot: string, req: Request): string | undefined {
  const { path } = req;
  return !path.startsWith("/") || namesNoFile(req) ? undefined : webRoot + path;
}

function isNegated(operator: FileTestOperator): boolean {
  return operator.startsWith("!");
}

function passes(entry: Entry, isRoot: boolean, operator: FileTestOperator): boolean {
  const isFile = entry.kind === "file";
  const isDirectory = entry.kind === "directory";
  switch (operator) {
    case "-f":
      return isFile;
    case "-d":
      return isDirectory && !isRoot;
    case "-e":
      return isFile || (isDirectory && !isRoot);
    case "-D":
      return isDirectory;
    case "-E":
      return isFile || isDirectory;
    case "!f":
      return !isFile;
    case "!d":
      return !isDirectory;
    case "!e":
      return !isFile && !isDirectory;
  }
}
