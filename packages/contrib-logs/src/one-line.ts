// A line of a log as a single line of text, of a bounded size: what syslog and journald take.

import type { ExportedLine } from "@hemi/internal";

/** With the component before it and the cause behind it. `maxSize` in bytes of UTF-8; a longer line is cut. */
export function oneLine({ log, path, text, cause }: ExportedLine, maxSize: number): string {
  // A line of an access log is as its format has it.
  const subject = log === "errorLog" && path !== "" ? `${path} ` : "";
  const reason = cause === "" ? "" : ` | ${cause.trim().replace(/\s*\n\s*/g, " | ")}`;
  return cut(`${subject}${text}${reason}`.replace(controls, " "), maxSize);
}

/** Templates of access logs may contain them. */
const controls = /[\x00-\x1f\x7f]/g;

function cut(line: string, maxSize: number): string {
  if (line.length * 3 <= maxSize || Buffer.byteLength(line) <= maxSize) return line;
  // What is left of a character that was cut is not well-formed, and becomes U+FFFD.
  const bytes = Buffer.from(line).subarray(0, maxSize - ellipsis.length);
  return bytes.toString().replace(/\ufffd+$/, "") + ellipsis;
}

const ellipsis = "...";
