// Writes specs as the text of a configuration, which tests read again. Included content is written in place, comments
// are lost; the text parses to the same specs.

import { HemiError } from "../errors/hemi-error.ts";
import { formatConfig } from "../config/format.ts";
import { printDuration, printSize } from "../config/literals.ts";
import { isQuotable } from "../config/quote.ts";
import type { ComponentSpec, ConditionSpec, DictEntrySpec, ValueSpec } from "../config/spec.ts";

/**
 * Writes a configuration that was read without problems (otherwise HEMI_USAGE). A string that contains both sorts of
 * quotes is written as several strings joined by `+`. As a name, key or default it cannot be written (HEMI_USAGE); the
 * parser and `fromObject` exclude this.
 */
export function toText(spec: ComponentSpec): string {
  const formatted = formatConfig(componentText(spec));
  if (formatted.text === undefined) throw new HemiError("HEMI_USAGE", "this spec cannot be written as text");
  return formatted.text;
}

function componentText({ sign, name, condition, props, children }: ComponentSpec): string {
  const head = [sign, name === undefined ? "" : quoted(name), condition === undefined ? "" : conditionText(condition)];
  const body = [...props.map((prop) => `.${prop.name} = ${valueText(prop.value)}`), ...children.map(componentText)];
  return `${head.filter((part) => part !== "").join(" ")} {${body.length === 0 ? "" : `\n${body.join("\n")}\n`}}`;
}

function valueText(value: ValueSpec): string {
  switch (value.type) {
    case "bool":
    case "integer":
      return String(value.value);
    case "size":
      return printSize(value.value);
    case "duration":
      return printDuration(value.value);
    case "string":
      return stringText(value.value);
    case "list":
      return `(${value.items.map(valueText).join(", ")})`;
    case "dict":
      return `[${value.entries.map(entryText).join(", ")}]`;
    case "constant":
      return `%${value.name}`;
    case "env":
      return `%env(${value.variable}${value.fallback === undefined ? "" : `, ${quoted(value.fallback)}`})`;
    case "reference":
      return `.${value.name}`;
    case "variable":
      return `$${value.name}`;
    case "concat":
      return value.parts.map(valueText).join(" + ");
    case "unread":
      return refuseUnread();
  }
}

function entryText({ key, value }: DictEntrySpec): string {
  return `${quoted(key)}: ${valueText(value)}`;
}

function conditionText(condition: ConditionSpec): string {
  switch (condition.type) {
    case "and":
    case "or":
      return condition.operands
        .map((operand) => operandText(operand, condition.type))
        .join(condition.type === "and" ? " && " : " || ");
    case "not":
      return `!(${conditionText(condition.operand)})`;
    case "compare":
      return `$${condition.variable} ${condition.operator} ${valueText(condition.pattern)}`;
    case "presence":
      return `$${condition.variable} ${condition.operator}`;
    case "fileTest": {
      const { operator, file } = condition;
      return file === undefined ? `$path ${operator}` : `${operator} ${valueText(file)}`;
    }
    case "unread":
      return refuseUnread();
  }
}

/** In parentheses if needed: inside an operand of the same sort, or a weaker operator inside a stronger one. */
function operandText(operand: ConditionSpec, owner: "and" | "or"): string {
  const text = conditionText(operand);
  return operand.type === "or" || (operand.type === "and" && owner === "and") ? `(${text})` : text;
}

function refuseUnread(): never {
  throw new HemiError("HEMI_USAGE", "a spec that was not read without problems cannot be written as text");
}

function quoted(text: string): string {
  if (!isQuotable(text)) throw new HemiError("HEMI_USAGE", "text with both sorts of quotes cannot be written here");
  return text.includes('"') ? `\`${text}\`` : `"${text}"`;
}

/** Strings have no escapes. If both quotes occur, pieces with one sort of quotes are joined. */
function stringText(text: string): string {
  if (isQuotable(text)) return quoted(text);
  return (text.match(/[^"]+|[^`]+/g) ?? []).map(quoted).join(" + ");
}
