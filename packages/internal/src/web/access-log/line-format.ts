// The formats of an access log.

import { templateFormat, type TrafficLogFormat } from "../../front/traffic-log/format.ts";
import type { LineFormat } from "../../log/lines/line-writer.ts";
import type { AccessEntry } from "./access-entry.ts";
import { accessVariables } from "./access-variables.ts";
import { combinedFormat } from "./combined.ts";
import { jsonFormat } from "./json.ts";
import type { RedactURI } from "./redact.ts";

const named = { combined: combinedFormat, json: jsonFormat };

export function makeLineFormat(choice: TrafficLogFormat, redact: RedactURI): LineFormat<AccessEntry> {
  return typeof choice === "string" ? named[choice](redact) : templateFormat(choice, accessVariables(redact));
}
