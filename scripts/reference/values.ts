// Defaults: as plain data for JSON, and as a configuration would have them.

import { printDuration, printSize } from "../../packages/internal/src/config/literals.ts";
import type { PropType } from "../../packages/internal/src/component/props/prop-type.ts";
import type { Value } from "../../packages/internal/src/component/value.ts";

export function plainValue(value: Value): unknown {
  switch (value.type) {
    case "list":
      return value.items.map(plainValue);
    case "dict":
      return Object.fromEntries(value.entries.map(({ key, value }) => [key, plainValue(value)]));
    case "template":
      return value.parts.map((part) => (typeof part === "string" ? part : `$${part.variable}`)).join("");
    default:
      return value.value;
  }
}

/** In the configuration language. Defaults stand in TypeScript, where sizes and durations are numbers or text. */
export function configText(value: Value, type: PropType<unknown>): string {
  switch (value.type) {
    case "integer":
      if (type.name === "duration") return printDuration(value.value);
      return type.name === "size" && value.value > 0 ? printSize(value.value) : String(value.value);
    case "size":
      return printSize(value.value);
    case "duration":
      return printDuration(value.value);
    case "string":
      return type.name === "size" || type.name === "duration" ? value.value : JSON.stringify(value.value);
    case "list":
      return `(${value.items.map((item) => configText(item, type.of ?? type)).join(", ")})`;
    case "dict": {
      const entryType = (key: string): PropType<unknown> => type.fields?.[key]?.type ?? type.of ?? type;
      const entries = value.entries.map(
        ({ key, value }) => `${JSON.stringify(key)}: ${configText(value, entryType(key))}`,
      );
      return `[${entries.join(", ")}]`;
    }
    default:
      return String(plainValue(value));
  }
}
