// Templates that make the name of a file: what a client sends names one file or folder in it, and leads nowhere else.

import { compileTemplate, type Template } from "../../component/template.ts";
import { HTTPError } from "../http-error.ts";
import type { Request } from "../request/request.ts";
import { webVariables } from "./variables.ts";

/**
 * Compiles a template to a function that makes the name of a file. It throws HTTPError 400 if the value of a variable
 * holds a slash, unless the variable is `$path`, or makes a dot segment: a file's name has no encoding that would take
 * their meaning away.
 */
export function compileFileTemplate(template: Template): (req: Request) => string {
  const { parts, constant } = template;
  if (constant !== undefined) return () => constant;
  const own = countDotSegments(parts.map((part) => (typeof part === "string" ? part : "x")).join(""));
  const make = compileTemplate<Request>(template, {
    names: webVariables.names,
    find(name) {
      const read = webVariables.find(name);
      return name === "path" || read === undefined ? read : (req) => assertOneName(name, read(req));
    },
  });
  return function makeFilename(req) {
    const filename = make(req);
    if (countDotSegments(filename) > own) throw new HTTPError(400, `the request makes a dot segment: ${filename}`);
    return filename;
  };
}

function assertOneName(variable: string, value: string): string {
  if (!/[/\\\0]/.test(value)) return value;
  throw new HTTPError(
    400,
    `$${variable} is to be the name of one file or folder, and has a slash or NUL in it: ${value}`,
  );
}

function countDotSegments(filename: string): number {
  return filename.match(/(?:^|[/\\])\.{1,2}(?=[/\\]|$)/g)?.length ?? 0;
}
