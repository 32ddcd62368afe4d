// The file tests of conditions: `$path -f` below a web root, and `-f "maintenance.html"` of any file.

import type { CompiledCondition, FileTest, FileTests } from "../../component/condition.ts";
import type { FileTestOperator } from "../../config/spec.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import type { Fcache } from "../../fixtures/fcache.ts";
import type { Entry } from "../../fixtures/fcache-entry.ts";
import { HTTPError } from "../http-error.ts";
import { namesNoFile } from "../request/path.ts";
import type { Request } from "../request/request.ts";
import { compileFileTemplate } from "./file-template.ts";

/**
 * Makes the tests for one web root; without one, tests of `$path` are refused by a HemiError (HEMI_CONFIG_CONDITION).
 * `fcache` is asked for when a request comes: at create it is not there yet.
 */
export function fileTestsIn(webRoot: string | undefined, fcache: () => Fcache): FileTests<Request> {
  return function compileFileTest(test): CompiledCondition<Request> {
    const fileOf = compileTestedFile(webRoot, test);
    const { operator, template } = test;
    return function testFile(req) {
      const file = fileOf(req);
      if (file === undefined) return isNegated(operator);
      const isRoot = template === undefined && req.path === "/";
      const entry = fcache().peek(file);
      if (entry !== undefined) return passes(entry, isRoot, operator);
      return fcache()
        .open(file)
        .then((entry) => passes(entry, isRoot, operator));
    };
  };
}

/** Compiles which file is tested; `undefined` if no file can have such a name. Throws like `fileTestsIn`. */
export function compileTestedFile(
  webRoot: string | undefined,
  { operator, template }: FileTest,
): (req: Request) => string | undefined {
  if (template === undefined) {
    if (webRoot === undefined) throw new HemiError("HEMI_CONFIG_CONDITION", `$path ${operator} needs .webRoot`);
    return (req) => (!req.path.startsWith("/") || namesNoFile(req) ? undefined : webRoot + req.path);
  }
  const fileOf = compileFileTemplate(template);
  const hasPath = template.parts.some((part) => typeof part !== "string" && part.variable === "path");
  return function fileOfTemplate(req) {
    if (hasPath && namesNoFile(req)) return undefined;
    try {
      return fileOf(req);
    } catch (error) {
      // A value that would lead elsewhere.
      if (error instanceof HTTPError) return undefined;
      throw error;
    }
  };
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
