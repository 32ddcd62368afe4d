// A line of a log as a single line of text, of a bounded size: what syslog and journald take.

import type { ExportedLine } from "@hemi/internal";

/** With the component before it and the cause behind it. `maxSize` in bytes of UTF-8; a longer line is cut. */
export function oneLine({ log, path, text, cause }: ExportedLine, maxSize: number): string {
  // A line of an access log is as its format has it.
  const subject = log === "errorLog" && path !== "" ? `${path} ` : "";
  const reason = cause === "" ? "" : ` | ${cause.split("\n").map(trimmed).filter(Boolean).join(" | ")}`;
  return cut(`${subject}${text}${reason}`.replace(controls, " "), maxSize);
}

/** Templates of access logs may contain them. Terminals obey those from 0x80 on, too. */
const controls = /[\x00-\x1f\x7f-\x9f]/g;

function trimmed(text: string): string {
  return text.trim();
}

function cut(line: string, maxSize: number): string {
  if (line.length * 3 <= maxSize || Buffer.byteLength(line) <= maxSize) return line;
  const bytes = Buffer.from(line);
  let end = maxSize - ellipsis.length;
  // Not within a character: its further bytes begin with the bits 10.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end) + ellipsis;
}

const ellipsis = "...";
