// Which fields of a response are stored (RFC 9111 section 3.1).

import { fieldNamesIn, noDirectives, type Directives } from "./directives.ts";

/**
 * The fields to store: names in lower case and values alternating. Left out are `age`, which is computed for each
 * answer, fields for one hop only (RFC 9110 section 7.6.1), and those that `private` and `no-cache` name: they are not
 * for others, or not without validation.
 */
export function storedFields(
  fieldList: readonly string[],
  directives: Directives = noDirectives,
  alsoDropped?: ReadonlySet<string>,
): string[] {
  const qualified = new Set([...fieldNamesIn(directives, "private"), ...fieldNamesIn(directives, "no-cache")]);
  const stored: string[] = [];
  for (let i = 0; i + 1 < fieldList.length; i += 2) {
    const [name = "", value = ""] = [fieldList[i], fieldList[i + 1]];
    if (neverStored.has(name) || qualified.has(name) || alsoDropped?.has(name) === true) continue;
    stored.push(name, value);
  }
  return stored;
}

/** The fields of a stored response after a 304 (section 3.2): what describes the stored bytes stays as it is. */
export function updatedFields(stored: readonly string[], received: readonly string[]): string[] {
  const names = new Set<string>();
  for (let i = 0; i < received.length; i += 2) names.add(received[i] ?? "");
  const kept: string[] = [];
  for (let i = 0; i + 1 < stored.length; i += 2) {
    const [name = "", value = ""] = [stored[i], stored[i + 1]];
    if (ofContent.has(name) || !names.has(name)) kept.push(name, value);
  }
  for (let i = 0; i + 1 < received.length; i += 2) {
    const [name = "", value = ""] = [received[i], received[i + 1]];
    if (!ofContent.has(name)) kept.push(name, value);
  }
  return kept;
}

const neverStored: ReadonlySet<string> = new Set([
  "age",
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * A 304 does not speak of the bytes that are stored: their length and coding stay. The etag is that of the stored
 * response, as the 304 was compared with it.
 */
const ofContent: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-length",
  "content-md5",
  "content-range",
  "etag",
]);
