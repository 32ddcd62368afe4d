// A live access line for people.

import { bytes } from "./activity-text.ts";
import { plainText } from "./plain-text.ts";

/** `12:00:00.123 200    0.42 ms   1.2K GET https://shop.example/a 10.0.0.1 webapp.shop/rule.assets/static` */
export function accessText(line: string): string {
  const fields = fieldsOf(line);
  const text = (name: string): string => (typeof fields[name] === "string" ? fields[name] : "");
  const number = (name: string): number => (typeof fields[name] === "number" ? fields[name] : 0);
  const node = text("node");
  const end = text("endReason");
  const parts = [
    text("time").slice(11, 23),
    String(number("status")),
    `${number("totalTime").toFixed(2).padStart(8)} ms`,
    bytes(number("contentSent")).padStart(6),
    text("method"),
    `${text("scheme")}://${text("authority")}${text("uri")}`,
    text("srcHost"),
    text("component"),
    ...(node === "" ? [] : [nodeText(node, number("attempts") - 1)]),
    ...(end === "complete" ? [] : [end]),
  ];
  return plainText(parts.filter((part) => part !== "").join(" "));
}

function nodeText(node: string, before: number): string {
  return before < 1 ? `node ${node}` : `node ${node} after ${before} ${before === 1 ? "other" : "others"}`;
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(line);
  return typeof value === "object" && value !== null ? { ...value } : {};
}
