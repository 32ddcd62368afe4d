// Errors as clients of PostgreSQL get them ("ErrorResponse").

import { message } from "./messages.ts";

/** SQLSTATEs of errors of the proxy ("PostgreSQL Error Codes"). */
export const sqlStates = {
  protocolViolation: "08P01",
  connectionFailure: "08006",
  invalidPassword: "28P01",
  notAllowed: "28000",
  noDatabase: "3D000",
  tooManyConnections: "53300",
  shutdown: "57P01",
  cannotConnect: "57P03",
  idle: "57P05",
} as const;

/** `FATAL`: the connection is closed after it. */
export function errorMessage(severity: "ERROR" | "FATAL", state: string, text: string): Buffer {
  return message("E", `S${severity}\0V${severity}\0C${state}\0M${text.replaceAll("\0", "")}\0\0`);
}

/** State and text of an error of a server. */
export function readError(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly state: string; readonly text: string } {
  const fields = new Map<string, string>();
  for (let at = start + 5; at < end && bytes[at] !== 0;) {
    const zero = bytes.indexOf(0, at);
    if (zero < 0 || zero >= end) break;
    fields.set(String.fromCharCode(bytes[at] ?? 0), bytes.toString("utf8", at + 1, zero));
    at = zero + 1;
  }
  return { state: fields.get("C") ?? "", text: fields.get("M") ?? "" };
}
