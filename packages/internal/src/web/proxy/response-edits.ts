// The fields of an answer on its way back: where it points to the backend, it shall point to where the client came
// from.

import type { CheckContext } from "../../component/definition.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { connectionFields, FieldNames } from "../../http/field-names.ts";
import type { NodeResponseHead } from "../../http/web-backend.ts";
import type { Request } from "../request/request.ts";
import type { attemptProps } from "./exchange-props.ts";
import { checkDeletedFields, checkFieldEdits, type FieldEdits, type FieldReasons } from "./field-edits.ts";
import type { PathEdits } from "./path-edits.ts";

export interface ResponseEditOptions {
  readonly edits: FieldEdits;
  readonly paths: PathEdits;
  readonly rewritesLocation: boolean;
  readonly rewritesCookies: boolean;
  /** Fields that are not passed on, beside those that no proxy passes on. */
  readonly dropped?: readonly string[];
}

/** Reports what is wrong with the fields of answers that a configuration sets. */
export function checkResponseProps(context: CheckContext<PropsOf<typeof attemptProps>>): void {
  checkFieldEdits(context, ["setResponseHeaders", "addResponseHeaders"]);
  checkDeletedFields(context, "delResponseHeaders", undeletable);
}

const undeletable: FieldReasons = new Map([["date", "every answer has a date (RFC 9110 6.6.1): it can be set only"]]);

export class ResponseEdits {
  readonly #options: ResponseEditOptions;
  readonly #dropped: FieldNames;

  constructor(options: ResponseEditOptions) {
    this.#options = options;
    this.#dropped = new FieldNames([
      ...connectionFields,
      "proxy-authenticate",
      ...(options.dropped ?? []),
      ...options.edits.dropped,
    ]);
  }

  /** Whether a configuration says itself which fields of this name answers have. */
  decidesOn(name: string): boolean {
    return this.#options.edits.dropped.includes(name);
  }

  /** Names and values in turn. `authority` is what the backend was asked for. */
  fieldList(head: NodeResponseHead, req: Request, authority: string): readonly string[] {
    const received = head.fieldList(this.#dropped);
    const { edits, rewritesLocation, rewritesCookies } = this.#options;
    const locationAt = rewritesLocation ? nameAt(received, "location") : -1;
    const cookieAt = rewritesCookies ? nameAt(received, "set-cookie") : -1;
    if (locationAt < 0 && cookieAt < 0 && edits.isEmpty) return received;
    const list = [...received];
    if (locationAt >= 0) list[locationAt + 1] = this.#location(list[locationAt + 1] ?? "", req, authority);
    for (let i = cookieAt < 0 ? list.length : cookieAt; i < list.length; i += 2) {
      if (list[i] === "set-cookie") list[i + 1] = this.#cookie(list[i + 1] ?? "", req, authority);
    }
    edits.addTo(list, req);
    return list;
  }

  /** A URL of the backend becomes one of ours; one of somebody else stays. */
  #location(location: string, req: Request, authority: string): string {
    const { paths } = this.#options;
    const [, scheme, host = "", path = ""] = /^(?:(https?):)?\/\/([^/?#]*)(.*)$/i.exec(location) ?? [];
    if (host === "") return location.startsWith("/") ? onThisHost(paths.back(location)) : location;
    const isOurs = host.toLowerCase() === authority.toLowerCase() || host.toLowerCase() === req.authority;
    if (!isOurs || req.authority === "") return location;
    const prefix = scheme === undefined ? "" : `${req.scheme}:`;
    return `${prefix}//${req.authority}${path.startsWith("/") ? paths.back(path) : path}`;
  }

  /** A cookie for the backend's path is one for ours; one for its domain is one for whoever was asked. */
  #cookie(cookie: string, req: Request, authority: string): string {
    const { paths } = this.#options;
    const backendHost = authority.replace(/:\d+$/, "").toLowerCase();
    const [pair = "", ...attributes] = cookie.split(";");
    const kept = attributes.flatMap((attribute) => {
      const mark = attribute.indexOf("=");
      const name = attribute.slice(0, Math.max(mark, 0)).trim();
      const value = attribute.slice(mark + 1).trim();
      if (/^path$/i.test(name) && value.startsWith("/")) return [` Path=${cookiePath(paths.back(value), value)}`];
      const isBackends = /^domain$/i.test(name) && value.replace(/^\./, "").toLowerCase() === backendHost;
      return isBackends && backendHost !== req.hostname ? [] : [attribute];
    });
    return [pair, ...kept].join(";");
  }
}

/** A path that begins with two slashes, or with what browsers take for that, would lead to another host (CWE-601). */
function onThisHost(path: string): string {
  return path.replace(/^\/[/\\\t]+/, "/");
}

/** A path of a cookie covers what is below it: `/` behind a prefix is the prefix itself. */
function cookiePath(path: string, original: string): string {
  return original === "/" && path.length > 1 ? path.slice(0, -1) : path;
}

function nameAt(list: readonly string[], name: string): number {
  for (let i = 0; i < list.length; i += 2) if (list[i] === name) return i;
  return -1;
}
