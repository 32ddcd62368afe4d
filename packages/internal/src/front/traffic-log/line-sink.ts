// What takes the lines of logs, instead of a file.

import { capability } from "../../component/capability.ts";
import type { ExportedLine } from "../../log/exported-line.ts";

/** Takes lines, at once and without failing: it queues them, and drops what is too much. */
export interface LineSink {
  /** Takes a line. */
  takeLine(line: ExportedLine): void;
}

/** Offered by addons that send logs elsewhere: see `to` of access logs and connection logs. */
export const lineSink = capability<LineSink>("line-sink");
