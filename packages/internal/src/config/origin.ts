// A position in a configuration, in a form that editors and terminals can open.

import { lineAt, lineStart } from "./position.ts";
import type { SourceSpan } from "./spec.ts";

/** A position in a configuration, in a form that editors and terminals can open. */
export interface Origin {
  /** The path as the user wrote it, or a label such as `<text>`. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** In UTF-16 code units, from 1. */
  readonly column: number;
}

/** `undefined` for a TypeScript object. */
export function originOf({ source, start }: SourceSpan): Origin | undefined {
  const { name, text } = source;
  if (text === undefined) return undefined;
  return { file: name, line: lineAt(text, start), column: start - lineStart(text, start) + 1 };
}

/** `shop.conf:12:9` */
export function formatOrigin({ file, line, column }: Origin): string {
  return `${file}:${line}:${column}`;
}
