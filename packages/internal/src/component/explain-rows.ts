// Explanations as rows: position, subject, result. Their formatting is in explain-text.ts.

import { quote } from "../config/quote.ts";
import { formatOrigin, type Origin } from "../config/origin.ts";
import type { ConditionWalk } from "./explain-condition.ts";

/** A component and its position. */
export interface ComponentLabel {
  /** The sign in the configuration. */
  readonly sign: string;
  /** "" without a name. */
  readonly name: string;
  /** For example `webapp.shop/rule.3/static`. */
  readonly path: string;
  /** `undefined` for a configuration that is a TypeScript object. */
  readonly origin: Origin | undefined;
}

/** The label of a component as plain data. */
export function labelOf({ sign, name, path, origin }: ComponentLabel): ComponentLabel {
  return { sign, name, path, origin };
}

/** `good`: the walk continues here. `bad`: it does not. `dim`: not evaluated, or of little importance. */
export type Tone = "plain" | "good" | "bad" | "dim";

export interface Row {
  /** The position; "" for a row that belongs to the row above. */
  readonly place: string;
  readonly indent: number;
  /** In two columns. */
  readonly subject: string;
  readonly object: string;
  readonly verdict: string;
  readonly tone: Tone;
}

export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

export function row(parts: Partial<Row>): Row {
  return { place: "", indent: 0, subject: "", object: "", verdict: "", tone: "plain", ...parts };
}

export function conditionRows(condition: ConditionWalk, indent: number): readonly Row[] {
  const { holds } = condition;
  const verdict = holds === undefined ? "not looked at" : holds ? "yes" : "no";
  const tone = holds === undefined ? "dim" : holds ? "good" : "bad";
  const told = { indent, verdict, tone } as const;
  switch (condition.type) {
    case "and":
    case "or": {
      const subject = condition.type === "and" ? "all of" : "any of";
      return [
        row({ ...told, subject }),
        ...condition.operands.flatMap((operand) => conditionRows(operand, indent + 1)),
      ];
    }
    case "not":
      return [row({ ...told, subject: "not" }), ...conditionRows(condition.operand, indent + 1)];
    case "compare": {
      const { variable, value, operator, patterns, fitting = [] } = condition;
      const [only] = patterns;
      const pattern = only !== undefined && patterns.length === 1 ? quote(only) : `(${patterns.map(quote).join(", ")})`;
      return [
        row({
          ...told,
          subject: value === undefined ? `$${variable}` : `$${variable} = ${quote(value)}`,
          object: `${operator} ${pattern}`,
          verdict: fitting.length === 0 ? verdict : `${verdict}, by ${fitting.map(quote).join(", ")}`,
        }),
      ];
    }
    case "presence": {
      const { variable, value, operator } = condition;
      const subject = value === undefined ? `$${variable}` : `$${variable} = ${quote(value)}`;
      return [row({ ...told, subject, object: operator })];
    }
    case "fileTest": {
      const { operator, of, file, found } = condition;
      const object = file === undefined ? (found ?? "") : `${file}: ${found ?? ""}`;
      return [row({ ...told, subject: of === "path" ? `$path ${operator}` : operator, object })];
    }
  }
}

/** `shop.conf:12:9`; the path, if there is no file. */
export function placeOf({ origin, path }: ComponentLabel): string {
  return origin === undefined ? path : formatOrigin(origin);
}

/** `rule "assets"` */
export function describe({ sign, name }: ComponentLabel): string {
  return name === "" ? sign : `${sign} ${quote(name)}`;
}
