// A message of syslog (RFC 5424 section 6), and how a stream has it (RFC 6587 section 3.4.1, octet counting).

import type { ExportedLine, LogLevel } from "@hemi/internal";
import { formatISOTime } from "@hemi/common";
import { oneLine } from "./one-line.ts";

/** RFC 5424 section 6.2.1, table 1: those that a program may have. */
export const facilityNames = [
  "user",
  "daemon",
  "local0",
  "local1",
  "local2",
  "local3",
  "local4",
  "local5",
  "local6",
  "local7",
] as const;

type Facility = (typeof facilityNames)[number];

const facilities: Readonly<Record<Facility, number>> = {
  user: 1,
  daemon: 3,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
};

/** Section 6.2.1, table 2. journald has the same numbers. */
export const severities: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

/** What all messages of a program have in common. */
export interface SyslogSender {
  readonly facility: Facility;
  /** Printable ASCII. */
  readonly hostname: string;
  readonly appName: string;
  readonly processId: number;
  /** In bytes, of the text. */
  readonly maxLine: number;
}

/**
 * `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID - MSG`. The id of a message is the log that it comes from. There is
 * no structured data: its names need a registered enterprise number.
 */
export function syslogMessage(line: ExportedLine, sender: SyslogSender): Buffer {
  const { facility, hostname, appName, processId, maxLine } = sender;
  const priority = facilities[facility] * 8 + severities[line.level];
  const time = formatISOTime(line.time);
  const text = oneLine(line, maxLine);
  // Section 6.4: text in UTF-8 begins with the byte order mark. In ASCII, both readings are the same.
  const mark = /^[\x20-\x7e]*$/.test(text) ? "" : "\ufeff";
  return Buffer.from(`<${priority}>1 ${time} ${hostname} ${appName} ${processId} ${line.log} - ${mark}${text}`);
}

/** `MSG-LEN SP SYSLOG-MSG` */
export function countedOctets(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}

/** What is no printable ASCII becomes `?`. At most 255 characters; empty: the value for nothing. */
export function syslogHostname(name: string): string {
  return name.replace(/[^!-~]/g, "?").slice(0, 255) || "-";
}
