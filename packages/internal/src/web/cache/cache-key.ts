// What a response is found by.

import { compileTemplate, type Template } from "../../component/template.ts";
import { webVariables } from "../conditions/variables.ts";
import type { Request } from "../request/request.ts";

/** The URL of a request, which purges name: `https://shop.example/a?b`. */
export function urlOf(req: Request): string {
  return `${req.scheme}://${req.authority}${req.uri}`;
}

/** The key of a request. Without a template, it is the URL without the ignored queries. */
export function keyMaker(template: Template | undefined, ignored: readonly string[]): (req: Request) => string {
  if (template !== undefined) return compileTemplate(template, webVariables);
  return ignored.length === 0 ? urlOf : (req) => withoutQueries(urlOf(req), ignored);
}

/** Leaves out the parameters of these names; `utm_*` stands for all that begin so. The others keep their order. */
export function withoutQueries(url: string, ignored: readonly string[]): string {
  const mark = url.indexOf("?");
  if (mark < 0) return url;
  const kept = url
    .slice(mark + 1)
    .split("&")
    .filter((parameter) => !ignored.some((name) => isNamed(parameter, name)));
  return kept.length === 0 ? url.slice(0, mark) : `${url.slice(0, mark)}?${kept.join("&")}`;
}

function isNamed(parameter: string, pattern: string): boolean {
  const name = parameter.split("=", 1)[0] ?? "";
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
