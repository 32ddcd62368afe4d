// Templates of header fields.

import { compileTemplate, type Template } from "../../component/template.ts";
import type { Request } from "../request/request.ts";
import { compileUri, faultOfUri, uriPieces } from "./uri-template.ts";
import { webVariables } from "./variables.ts";

/** Fields whose value is one URI (RFC 9110 8.7, 10.2.2), in which variables stand as `compileUri` says. */
const uriFields: ReadonlySet<string> = new Set(["location", "content-location"]);

/** Compiles the template of a field's value. The function may throw HTTPError 400, as `compileUri` says. */
export function compileFieldTemplate(name: string, template: Template): (req: Request) => string {
  return isUriTemplate(name, template) ? compileUri(uriPieces(template)) : compileTemplate(template, webVariables);
}

/** Why a template is not safe for that field, whatever clients send; `undefined` if it is. */
export function faultOfFieldTemplate(name: string, template: Template): string | undefined {
  return isUriTemplate(name, template) ? faultOfUri(uriPieces(template), "location") : undefined;
}

function isUriTemplate(name: string, { constant }: Template): boolean {
  return constant === undefined && uriFields.has(name.toLowerCase());
}
