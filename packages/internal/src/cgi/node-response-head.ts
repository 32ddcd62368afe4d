// Parses the head of a response from a program behind CGI, FastCGI or SCGI (RFC 3875 section 6): field lines, some of
// which are for the server.
//
//  Status: 404 Not Found        the status; 200 without one, 302 with a location only
//  Location: /elsewhere         passed on unchanged
//  Content-Type: text/html      passed on unchanged

import type { NodeResponseHead } from "../http/web-backend.ts";
import type { FieldNames } from "../http/field-names.ts";
import type { HeadLimits } from "../http/head-limits.ts";
import { ListedFields, type Fields } from "../http/fields.ts";

export class CgiNodeResponseHead implements NodeResponseHead {
  readonly status: number;
  /** Without `status`. */
  readonly fields: Fields;
  /** In bytes, if the program announces it; its output must match. */
  readonly contentSize: number | undefined;
  /** How many bytes the head took. */
  readonly size: number;

  constructor(list: readonly string[], facts: { status: number; contentSize: number | undefined; size: number }) {
    this.fields = new ListedFields(list);
    this.status = facts.status;
    this.contentSize = facts.contentSize;
    this.size = facts.size;
  }

  fieldList(dropped: FieldNames): readonly string[] {
    const kept: string[] = [];
    for (const [name, value] of this.fields) if (!dropped.has(name)) kept.push(name, value);
    return kept;
  }
}

/** Parses a head from its first byte. Returns the head, or the error, or `undefined` if it is incomplete. */
export function readCgiHead(
  bytes: Buffer,
  { maxHeadSize, maxFields }: HeadLimits,
): CgiNodeResponseHead | string | undefined {
  const fieldList: string[] = [];
  let status: number | undefined;
  let contentSize: number | undefined;
  const limit = Math.min(bytes.length, maxHeadSize);
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf(0x0a, at);
    if (lineEnd < 0 || lineEnd >= limit) {
      return bytes.length >= maxHeadSize ? "its head is larger than maxHeadSize allows" : undefined;
    }
    // Programs end lines as their system does.
    const line = bytes.toString("latin1", at, bytes[lineEnd - 1] === 0x0d && lineEnd > at ? lineEnd - 1 : lineEnd);
    at = lineEnd + 1;
    if (line === "") {
      if (fieldList.length === 0 && status === undefined) return "its head holds no field";
      const isElsewhere = status === undefined && fieldList.includes("location");
      return new CgiNodeResponseHead(fieldList, { status: status ?? (isElsewhere ? 302 : 200), contentSize, size: at });
    }
    const [, name = "", value = ""] = fieldLine.exec(line) ?? [];
    if (name === "") return `its head holds a line that is no field: ${JSON.stringify(line.slice(0, 80))}`;
    const lowerName = name.toLowerCase();
    if (lowerName === "status") {
      if (status !== undefined) return "its head holds the field status twice";
      status = Number(/^([2-9]\d\d)(?: |$)/.exec(value)?.[1]);
      if (Number.isNaN(status)) return `its status is not from 200 to 999: ${JSON.stringify(value.slice(0, 80))}`;
      continue;
    }
    if (lowerName === "content-length") {
      if (contentSize !== undefined) return "its head holds the field content-length twice";
      contentSize = /^\d{1,15}$/.test(value) ? Number(value) : undefined;
      if (contentSize === undefined) return "its content-length is not a number of bytes";
    }
    if (fieldList.push(lowerName, value) > 2 * maxFields) return "its head has more field lines than maxFields allows";
  }
}

/**
 * A token, a colon, and a value without control characters (RFC 9110 5.5), which begins and ends with what is no space:
 * so a run of spaces, however long, is read in one way only, and in linear time.
 */
const fieldLine =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(?:([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)[ \t]*)?$/;
