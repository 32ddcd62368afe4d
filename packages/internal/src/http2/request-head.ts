// Makes the head of a request out of the fields of a header block (RFC 9113 section 8), as strictly as HTTP/1 is read:
// what is taken in here may be sent on as HTTP/1 (RFC 9113 10.3).

import { encodeRawBytes, isTargetByte, isTokenByte } from "../http/bytes.ts";
import type { RequestHead } from "../http/exchan.ts";
import { ListedFields } from "../http/fields.ts";
import type { DecodedBlock } from "./hpack/decoder.ts";
import { holdsHttp1Field, http1Fields, readContentLength } from "./message-fields.ts";
import { defaultPriority, parsePriority, type Priority } from "./priority.ts";

export interface HeadOptions {
  /** Of the request target, in bytes; more: 414. */
  readonly maxTargetSize: number;
  /** May the target hold bytes above ASCII? Default: no. */
  readonly rawUTF8InTargets?: boolean | undefined;
  /** Is it `https`, whatever the client says? */
  readonly isTLS: boolean;
  /** That of the message. HTTP/3 has the same rules (RFC 9114 4.3). Default: HTTP/2. */
  readonly version?: "2" | "3";
}

/** The head of an HTTP/2 or HTTP/3 request. Nothing changes in it: equal blocks of one connection share it. */
export interface Http2RequestHead extends RequestHead {
  /** Whether the client waits for a 100 response before it sends content (RFC 9110 10.1.1). */
  readonly expectsContinue: boolean;
  /** From the field `priority` (RFC 9218). Default: urgency 3, not incremental. */
  readonly priority: Priority;
  /** `:protocol` of an extended CONNECT (RFC 8441). */
  readonly isTunnel: boolean;
}

/** Why a request is not served. Without a status it is malformed, and its stream is reset (RFC 9113 8.1.1). */
export class BadRequest {
  /** The status of the response, such as 431. `undefined`: the request is malformed. */
  readonly status: number | undefined;
  /** What is wrong with the request, for the error log: `it has no path`. */
  readonly reason: string;

  constructor(status: number | undefined, reason: string) {
    this.status = status;
    this.reason = reason;
  }
}

/** Reads the head of a request out of the fields of a block. `isEnded`: no content follows. */
export function readHttp2RequestHead(
  block: DecodedBlock,
  isEnded: boolean,
  { maxTargetSize, rawUTF8InTargets, isTLS, version = "2" }: HeadOptions,
): Http2RequestHead | BadRequest {
  if (block.fault !== undefined) return malformed(block.fault);
  const { list } = block;
  const parts: Parts = {};
  const fieldList: string[] = [];
  let i = 0;
  for (; i < list.length; i += 2) {
    const name = list[i] ?? "";
    const value = list[i + 1] ?? "";
    if (name.charCodeAt(0) !== 0x3a /* : */) break;
    const part = pseudoFields[name];
    if (part === undefined) return malformed(`the pseudo-field ${name} is not one of a request`);
    if (parts[part] !== undefined) return malformed(`the pseudo-field ${name} stands twice`);
    parts[part] = value;
  }
  for (; i < list.length; i += 2) {
    const name = list[i] ?? "";
    const value = list[i + 1] ?? "";
    if (name.charCodeAt(0) === 0x3a /* : */) return malformed("a pseudo-field stands behind a field");
    fieldList.push(name, value);
    const special = specialFields.get(name);
    if (special !== undefined) {
      const fault = special(parts, value);
      if (fault !== undefined) return malformed(fault);
    }
  }
  // What is too large may lack any field that was left out.
  if (block.isTooLarge) return tooLarge;
  if ((parts.cookies ?? 0) > 1) joinCookies(fieldList);

  if (rawUTF8InTargets === true && parts.path !== undefined) parts.path = encodeRawBytes(parts.path);
  const bad = checkTarget(parts, maxTargetSize) ?? checkAuthority(parts);
  if (bad !== undefined) return bad;
  const { method = "", scheme, path = "", protocol, expect, priority } = parts;
  if (isEnded && (parts.contentSize ?? 0) > 0) return malformed("it has a content-length and no content");
  if (expect !== undefined && expect.toLowerCase() !== "100-continue") return unknownExpectation;
  const authority = parts.authority ?? parts.host ?? "";
  // Whoever reads fields, or sends them on, finds what HTTP/1 has (RFC 9113 8.3.1).
  // A list of its own has no room for more: idle streams have one each.
  const fields = parts.host === undefined ? ["host", authority].concat(fieldList) : fieldList;
  return {
    version,
    method: protocol === undefined ? method : "GET",
    scheme: isTLS ? "https" : "http",
    targetScheme: scheme === "https" ? "https" : "http",
    authority,
    target: path,
    pathNeedsCare: needsCare(path),
    fields: new ListedFields(fields, block.neverIndexed),
    contentSize: isEnded || protocol !== undefined ? 0 : parts.contentSize,
    upgrades: protocol === undefined ? noUpgrades : [protocol.toLowerCase()],
    expectsContinue: expect !== undefined,
    priority: priority === undefined ? defaultPriority : parsePriority(priority),
    isTunnel: protocol !== undefined,
  };
}

/** What was found in the fields that say something of the message as a whole. */
interface Parts {
  method?: string;
  scheme?: string;
  authority?: string;
  path?: string;
  protocol?: string;
  host?: string;
  contentSize?: number;
  expect?: string;
  priority?: string;
  cookies?: number;
}

const pseudoFields: { readonly [name: string]: "method" | "scheme" | "authority" | "path" | "protocol" | undefined } = {
  ":method": "method",
  ":scheme": "scheme",
  ":authority": "authority",
  ":path": "path",
  ":protocol": "protocol",
};

/** Takes note of a field; says why the message is malformed if it is by that. */
type FieldNote = (parts: Parts, value: string) => string | undefined;

const specialFields: ReadonlyMap<string, FieldNote> = new Map<string, FieldNote>([
  ...http1Fields.map((name): [string, FieldNote] => [name, () => holdsHttp1Field]),
  ["te", (_parts, value) => (value.toLowerCase() === "trailers" ? undefined : "te is not trailers")],
  [
    "host",
    (parts, value) => {
      if (parts.host !== undefined) return "the field host stands twice";
      parts.host = value;
      return undefined;
    },
  ],
  [
    "content-length",
    (parts, value) => {
      if (parts.contentSize !== undefined) return "the field content-length stands twice";
      const size = readContentLength(value);
      if (size === undefined) return "content-length is no number of bytes";
      parts.contentSize = size;
      return undefined;
    },
  ],
  [
    "expect",
    (parts, value) => {
      parts.expect = parts.expect === undefined ? value : `${parts.expect}, ${value}`;
      return undefined;
    },
  ],
  [
    "priority",
    (parts, value) => {
      parts.priority = parts.priority === undefined ? value : `${parts.priority}, ${value}`;
      return undefined;
    },
  ],
  [
    "cookie",
    (parts) => {
      parts.cookies = (parts.cookies ?? 0) + 1;
      return undefined;
    },
  ],
]);

/** Method, scheme, path and protocol, as RFC 9113 8.3.1, 8.5 and RFC 8441 4 have them together. */
function checkTarget({ method, scheme, path, protocol }: Parts, maxTargetSize: number): BadRequest | undefined {
  if (method === undefined || !isToken(method) || method.length > maxMethodSize)
    return malformed("its method is no token");
  if (method === "CONNECT" && protocol === undefined) {
    return scheme === undefined && path === undefined ? undefined : malformed("CONNECT has no scheme and no path");
  }
  if (protocol !== undefined && (method !== "CONNECT" || !isToken(protocol))) {
    return malformed("the pseudo-field :protocol stands where it may not");
  }
  if (scheme !== "http" && scheme !== "https") return malformed("its scheme is not http or https");
  if (path === undefined) return malformed("it has no path");
  if (path.length > maxTargetSize) return targetTooLong;
  if (path.charCodeAt(0) !== 0x2f /* / */ && !(path === "*" && method === "OPTIONS"))
    return malformed("its path does not begin with a slash");
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code >= 0x80) return rawTarget;
    if (isTargetByte[code] === 0 || code === 0x23 /* # */)
      return malformed("its path holds a character that it may not hold");
  }
  return undefined;
}

function checkAuthority({ authority, host }: Parts): BadRequest | undefined {
  if (authority === undefined ? host === undefined || host === "" : authority === "")
    return malformed("it has no authority");
  // Two ways to say for whom it is (RFC 9113 8.3.1).
  if (authority !== undefined && host !== undefined && host.toLowerCase() !== authority.toLowerCase())
    return malformed("the field host is not its authority");
  return undefined;
}

/** Does the path hold what `RequestHead.pathNeedsCare` speaks of? */
function needsCare(target: string): boolean {
  for (let i = 0; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code === 0x3f /* ? */) return false;
    if (code === 0x25 /* % */ || code === 0x5c /* \ */) return true;
    if ((code === 0x2e /* . */ || code === 0x2f) && target.charCodeAt(i - 1) === 0x2f /* / */) return true;
  }
  return false;
}

function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (isTokenByte[text.charCodeAt(i)] === 0) return false;
  return text.length > 0;
}

/** RFC 9113 8.2.3: cut in pieces so that HPACK has more to find, and one field for everybody else. */
function joinCookies(fieldList: string[]): void {
  const values: string[] = [];
  let kept = 0;
  for (let i = 0; i < fieldList.length; i += 2) {
    const name = fieldList[i] ?? "";
    const value = fieldList[i + 1] ?? "";
    if (name === "cookie") values.push(value);
    else {
      fieldList[kept++] = name;
      fieldList[kept++] = value;
    }
  }
  fieldList.length = kept;
  fieldList.push("cookie", values.join("; "));
}

function malformed(reason: string): BadRequest {
  return new BadRequest(undefined, reason);
}

const maxMethodSize = 32;
const noUpgrades: readonly string[] = [];
const tooLarge = new BadRequest(431, "its head is larger, or has more fields, than allowed");
const rawTarget = new BadRequest(400, "its path holds a byte above ASCII as it is: see rawUTF8InTargets");
const targetTooLong = new BadRequest(414, "its target is longer than allowed");
const unknownExpectation = new BadRequest(417, "its expectation is not known; only 100-continue is");
