// Lines of the user's own making.

import { compileTemplate, type Template } from "../../component/template.ts";
import type { AccessEntry, LineFormat } from "./access-entry.ts";
import { accessVariables } from "./access-variables.ts";
import { escapeQuoted } from "./escape.ts";
import type { RedactURI } from "./redact.ts";

/**
 * What the template says, a line for each request. A variable that is empty is written as `-`; in all others, quotes, backslashes and
 * what is not printable ASCII stand as `\xHH`, so that between quotes nothing can be forged.
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
