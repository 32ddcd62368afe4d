// Paths of HTTP as declarations in TypeScript have them.

import type { HttpPath, HttpRule } from "@hemi/common/rpc";

/** The rule of a path. Throws Error for a text of another form. */
export function declaredRule(declared: HttpPath): HttpRule {
  const { path: text, body, responseBody = "" } = typeof declared === "string" ? { path: declared } : declared;
  const [, method = "", path = ""] = /^([A-Z]+) (\/\S*)$/.exec(text) ?? [];
  if (method === "") throw new Error(`a path of HTTP is such as "GET /v1/stock/{sku}", not ${JSON.stringify(text)}`);
  return { method, path, body: body ?? (withoutContent.has(method) ? "" : "*"), responseBody };
}

const withoutContent: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE"]);
