// The formats of an access log, and their notation in a configuration.

import { didYouMean } from "../../component/did-you-mean.ts";
import { prop } from "../../component/prop.ts";
import { propMaker, type PropType } from "../../component/props/prop-type.ts";
import { refuse } from "../../component/props/refuse.ts";
import type { Template } from "../../component/template.ts";
import { quote } from "../../config/quote.ts";
import type { LineFormat } from "./access-entry.ts";
import { accessVariables } from "./access-variables.ts";
import { combinedFormat } from "./combined.ts";
import { jsonFormat } from "./json.ts";
import type { RedactURI } from "./redact.ts";
import { templateFormat } from "./template-format.ts";

const named = { combined: combinedFormat, json: jsonFormat };

/** The name of a format, or a user-defined template. */
export type AccessLogFormat = keyof typeof named | Template;

export function makeLineFormat(choice: AccessLogFormat, redact: RedactURI): LineFormat {
  return typeof choice === "string" ? named[choice](redact) : templateFormat(choice, redact);
}

/**
 * Whether all lines of the format are ASCII. Text of peers is always written in ASCII, but a template may contain other
 * text.
 */
export function isASCIIFormat(choice: AccessLogFormat): boolean {
  return typeof choice === "string" || choice.parts.every((part) => typeof part !== "string" || isASCII(part));
}

function isASCII(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

const names = Object.keys(named);

const formatType: PropType<AccessLogFormat> = {
  name: "template",
  takes: '"combined", "json" or a text with $variables',
  read(value, label, reader) {
    if (value.type === "template") {
      return prop.template().type.read(value, label, { ...reader, variables: accessVariables((uri) => uri) });
    }
    if (value.type === "string" && (value.value === "combined" || value.value === "json")) return value.value;
    const hint = value.type === "string" ? didYouMean(value.value, names, quote) : undefined;
    return refuse(this, value, label, reader, hint);
  },
  // A template cannot be written in JSON.
  jsonSchema: () => ({ enum: names }),
};

/** The format of an access log's lines. */
export const lineFormat = propMaker<AccessLogFormat, string>(() => formatType);
