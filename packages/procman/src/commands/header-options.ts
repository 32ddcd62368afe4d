// The options `-H "name: value"` of a command line, as in curl.

import { HemiError } from "@hemi/hemi/base";

/** By name in lower case. Throws HEMI_USAGE. */
export function readHeaderOptions(fields: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const read = new Map<string, string[]>();
  for (const field of fields) {
    const [, name, value] = /^([^:\s]+):[ \t]*(.*?)[ \t]*$/s.exec(field) ?? [];
    if (name === undefined || value === undefined) {
      throw new HemiError("HEMI_USAGE", `-H takes "name: value", not ${JSON.stringify(field)}`);
    }
    // Fields are sent as bytes; clients send non-ASCII letters as UTF-8.
    const bytes = Buffer.from(value, "utf8").toString("latin1");
    read.set(name.toLowerCase(), [...(read.get(name.toLowerCase()) ?? []), bytes]);
  }
  return Object.fromEntries(read);
}
