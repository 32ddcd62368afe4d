// What `hemi check` finds wrong with the handlet `cache`: above all, keys by which a client can plant a response for
// others.

import type { CheckContext } from "../../component/definition.ts";
import { variablesOf, type Template } from "../../component/template.ts";
import { handletKind } from "../kinds.ts";
import { rule } from "../dispatch/rule.ts";
import type { CacheProps } from "./cache-props.ts";

/** Reports mistakes and doubts of one cache. */
export function checkCache(context: CheckContext<CacheProps>): void {
  const { props, report } = context;
  for (const status of props.statusTtl.keys()) {
    if (/^[2-5](?:\d\d|xx)$/.test(status)) continue;
    report({ prop: "statusTtl", message: `${JSON.stringify(status)} is no status, nor a class such as 5xx` });
  }
  // A string of a structured field has no others (RFC 9651 section 3.3.3).
  if (!/^[ -~]*$/.test(props.statusName)) {
    report({
      prop: "statusName",
      message: "it has characters that a field cannot have: printable ones of ASCII can be",
    });
  }
  const { key } = props;
  if (key?.constant !== undefined) {
    report({ prop: "key", message: "it is the same for all requests, so that all would get the same response" });
    return;
  }
  if (key !== undefined) checkKey(context, variablesOf(key));
  checkBehind(context, key === undefined ? new Set() : variablesOf(key));
}

function checkKey({ props, warn }: CheckContext<CacheProps>, named: ReadonlySet<string>): void {
  const lacks = (...names: readonly string[]) => !names.some((name) => named.has(name));
  const doubt = (message: string, hint: string) => warn({ prop: "key", message, hint });
  if (lacks("authority", "hostname")) {
    const message = "the key has no host: a client can plant the response of one host for another";
    doubt(message, "add $authority, unless one host is served");
  }
  if (lacks("uri", "originalURI", "encodedPath", "path")) {
    doubt("the key has no path: all paths get the same response", "add $uri");
  } else if (lacks("uri", "originalURI", "encodedPath")) {
    // The backend gets the path as it was encoded, and may answer `/a%2Fb` otherwise than `/a/b`.
    const message = "the key has the decoded path: a client can plant the response of /a%2Fb for /a/b";
    doubt(message, "use $encodedPath or $uri");
  }
  const hasQuery = ![...named].every((name) => name !== "queryString" && !name.startsWith("query_"));
  if (!hasQuery && lacks("uri", "originalURI")) {
    const message = "the key has no query: a client can plant the response of one query for all others";
    doubt(message, "add $queryString, or those that count, such as $query_page");
  }
  const unused = (["ignoreQueries", "keepQueries", "sortQueries"] as const).find((name) => isUsed(props[name]));
  if (unused !== undefined) warn({ prop: unused, message: "it has no effect, because the key is set" });
}

/** Responses depend on the client's fields and cookies that handlets behind use: so the key must have them. */
function checkBehind(context: CheckContext<CacheProps>, named: ReadonlySet<string>): void {
  const siblings = context.enclosing(rule)?.children() ?? [];
  const behind = siblings.slice(siblings.findIndex(({ path }) => path === context.path) + 1);
  for (const { definition, path, props } of behind) {
    if (definition.kind.name !== handletKind.name) continue;
    const used = [...variablesWithin(props)].filter((name) => isUnkeyed(name, named, context.props));
    if (used.length === 0) continue;
    const list = used.map((name) => `$${name}`).join(", ");
    const message = `${path} uses ${list}, which the key does not have: a client can plant its response for others`;
    context.warn({ prop: "key", message, hint: "add it to key, unless all responses name the field in vary" });
  }
}

function isUnkeyed(name: string, named: ReadonlySet<string>, { key, ignoreQueries, keepQueries }: CacheProps): boolean {
  if (named.has(name)) return false;
  if (/^(?:header|cookie)_/.test(name)) return true;
  if (name === "scheme") return key !== undefined;
  const [, query] = /^query_(.*)/.exec(name) ?? [];
  if (query === undefined) return false;
  if (key !== undefined) return !["uri", "originalURI", "queryString"].some((whole) => named.has(whole));
  return ignoreQueries.includes(query) || keepQueries?.includes(query) === false;
}

function isUsed(value: boolean | readonly string[] | undefined): boolean {
  return typeof value === "boolean" ? value : value !== undefined && value.length > 0;
}

/** Those of all templates in a value, at any depth. */
function* variablesWithin(value: unknown): Generator<string, void, void> {
  if (typeof value !== "object" || value === null) return;
  if (isTemplate(value)) yield* variablesOf(value);
  else if (value instanceof Map) for (const inner of value.values()) yield* variablesWithin(inner);
  else if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) {
    for (const inner of Object.values(value)) yield* variablesWithin(inner);
  }
}

function isTemplate(value: object): value is Template {
  return "parts" in value && Array.isArray(value.parts) && "constant" in value;
}
