// The fields of a document of BSON, without reading their values (bsonspec.org).

import { onDemand } from "bson";
import { ProtocolError } from "./messages.ts";

/** One field, and where its value is. */
export interface Field {
  readonly name: string;
  readonly type: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly length: number;
}

/** Types of values. */
export const types = { text: 2, document: 3, array: 4 } as const;

/** Throws a ProtocolError for what is no document, or not as long as it says. */
export function fieldsOf(document: Buffer): readonly Field[] {
  try {
    return [...onDemand.parseToElements(document)].map(([type, nameStart, nameLength, start, length]) => ({
      name: document.toString("utf8", nameStart, nameStart + nameLength),
      type,
      bytes: document,
      start,
      length,
    }));
  } catch {
    throw new ProtocolError("something that is no document");
  }
}

/** The fields of a document or array that is a value; empty for other values. */
export function fieldsIn(field: Field | undefined): readonly Field[] {
  if (field === undefined || (field.type !== types.document && field.type !== types.array)) return [];
  return fieldsOf(field.bytes.subarray(field.start, field.start + field.length));
}

/** A text; `undefined` for other values. */
export function textOf(field: Field | undefined): string | undefined {
  if (field?.type !== types.text) return undefined;
  // A length stands before it, and a zero behind it.
  return field.bytes.toString("utf8", field.start + 4, field.start + field.length - 1);
}

export function named(fields: readonly Field[], name: string): Field | undefined {
  return fields.find((field) => field.name === name);
}

/** The length of the document at the beginning of bytes. Throws a ProtocolError if it is not all there. */
export function documentLength(bytes: Buffer): number {
  const length = bytes.length < 5 ? -1 : bytes.readInt32LE(0);
  if (length < 5 || length > bytes.length) throw new ProtocolError("a document with a length that lies");
  return length;
}
