// User-defined log lines.

import { compileTemplate, type Template } from "../../component/template.ts";
import type { AccessEntry, LineFormat } from "./access-entry.ts";
import { accessVariables } from "./access-variables.ts";
import { escapeQuoted } from "./escape.ts";
import type { RedactURI } from "./redact.ts";

/**
 * Formats a line by the template. An empty variable is written as `-`. In values, quotes, backslashes and everything
 * except printable ASCII are written as `\xHH`, so that a quoted value cannot be forged.
 */
export function templateFormat(template: Template, redact: RedactURI): LineFormat {
  const variables = accessVariables(redact);
  const text = compileTemplate<AccessEntry>(template, {
    names: variables.names,
    find(name) {
      const read = variables.find(name);
      return read === undefined ? undefined : (entry) => escapeQuoted(read(entry)) || "-";
    },
  });
  return (entry) => `${text(entry)}\n`;
}
