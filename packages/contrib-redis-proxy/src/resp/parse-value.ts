// Reads a complete value of RESP, for what the proxy itself asks nodes.

import { readLength } from "./value-scanner.ts";

/** Maps of RESP3 are lists of keys and values, as in RESP2. */
export type RespValue = string | number | null | readonly RespValue[];

/** The bytes are complete, as `ValueScanner` has found them. Throws a RespError for numbers that are none. */
export function parseValue(bytes: Buffer): RespValue {
  let at = 0;
  const next = (depth: number): RespValue => {
    const type = String.fromCharCode(bytes[at] ?? 0);
    const end = bytes.indexOf(13, at);
    const line = bytes.toString("latin1", at + 1, end);
    const start = at + 1;
    at = end + 2;
    if (type === ":") return Number(line);
    if (type === "_") return null;
    if (type === "$" || type === "=" || type === "!") {
      const length = readLength(bytes, start, end);
      if (length < 0) return null;
      const text = bytes.toString("utf8", at, at + length);
      at += length + 2;
      return text;
    }
    if (!"*~>%".includes(type) || depth > maxDepth) return line;
    const length = readLength(bytes, start, end);
    if (length < 0) return null;
    const values: RespValue[] = [];
    for (let i = 0; i < (type === "%" ? length * 2 : length); i++) values.push(next(depth + 1));
    return values;
  };
  return next(0);
}

/** Not a prop: nothing that is asked for is deeper. */
const maxDepth = 8;
