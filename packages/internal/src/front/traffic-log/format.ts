// The formats of logs with a line for each request or connection, and their notation in a configuration.

import { didYouMean } from "../../component/did-you-mean.ts";
import { propMaker, type PropType } from "../../component/props/prop-type.ts";
import { refuse } from "../../component/props/refuse.ts";
import { templateType } from "../../component/props/texts.ts";
import { compileTemplate, type Template } from "../../component/template.ts";
import type { VariableTable } from "../../component/variables.ts";
import { quote } from "../../config/quote.ts";
import { escapeQuoted } from "../../log/lines/escape.ts";
import type { LineFormat } from "../../log/lines/line-writer.ts";

/** The name of a format, or a user-defined template. */
export type TrafficLogFormat = "combined" | "json" | Template;

const names = ["combined", "json"] as const;

/** The prop for the format of a log whose templates may contain these variables. */
export function formatProp(variables: VariableTable<never>) {
  const type: PropType<TrafficLogFormat> = {
    name: "template",
    takes: '"combined", "json" or a text with $variables',
    read(value, label, reader) {
      if (value.type === "template") return templateType(variables).read(value, label, reader);
      if (value.type === "string" && (value.value === "combined" || value.value === "json")) return value.value;
      const hint = value.type === "string" ? didYouMean(value.value, names, quote) : undefined;
      return refuse(this, value, label, reader, hint);
    },
    // A template cannot be written in JSON.
    jsonSchema: () => ({ enum: [...names] }),
  };
  return propMaker<TrafficLogFormat, string>(() => type);
}

/**
 * Formats a line by the template. An empty variable is written as `-`. In values, quotes, backslashes and everything
 * except printable ASCII are written as `\xHH`, so that a quoted value cannot be forged.
 */
export function templateFormat<Entry>(template: Template, variables: VariableTable<Entry>): LineFormat<Entry> {
  const text = compileTemplate<Entry>(template, {
    names: variables.names,
    find(name) {
      const read = variables.find(name);
      return read === undefined ? undefined : (entry) => escapeQuoted(read(entry)) || "-";
    },
  });
  // Text of peers is ASCII by its escapes; what stands in the configuration may be anything.
  const isASCII = template.parts.every((part) => typeof part !== "string" || /^[\0-\x7f]*$/.test(part));
  if (isASCII) return (entry, line) => line.add(`${text(entry)}\n`);
  return (entry, line) => line.addText(`${text(entry)}\n`);
}
