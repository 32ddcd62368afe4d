// The fields of a document of BSON, without reading their values (bsonspec.org).

import { ProtocolError } from "./messages.ts";

/** One field, and where it is. */
export interface Field {
  readonly name: string;
  readonly type: number;
  readonly bytes: Buffer;
  /** Where its type and name begin. */
  readonly from: number;
  /** Where its value begins. */
  readonly start: number;
  /** Of its value. */
  readonly length: number;
}

/** Types of values. */
export const types = { text: 2, document: 3, array: 4, regex: 11 } as const;

/** Throws a ProtocolError for what is no document, not as long as it says, or has more fields than any command. */
export function fieldsOf(document: Buffer): readonly Field[] {
  const end = documentLength(document) - 1;
  if (end + 1 !== document.length || document[end] !== 0) throw noDocument();
  const fields: Field[] = [];
  for (let from = 4; from < end;) {
    if (fields.length === maxFields) throw new ProtocolError(`a document of more than ${maxFields} fields`);
    const type = document[from] ?? 0;
    const nameEnd = document.indexOf(0, from + 1);
    if (nameEnd < 0 || nameEnd >= end) throw noDocument();
    const start = nameEnd + 1;
    const length = valueLength(document, type, start, end);
    if (length < 0 || start + length > end) throw noDocument();
    fields.push({ name: document.toString("utf8", from + 1, nameEnd), type, bytes: document, from, start, length });
    from = start + length;
  }
  return fields;
}

/** The length of the value at `start`; negative: there is none. */
function valueLength(bytes: Buffer, type: number, start: number, end: number): number {
  const fixed = fixedLengths.get(type);
  if (fixed !== undefined) return fixed;
  if (type === types.regex) {
    const first = bytes.indexOf(0, start);
    const second = first < 0 ? -1 : bytes.indexOf(0, first + 1);
    return second < 0 ? -1 : second + 1 - start;
  }
  const uncounted = uncountedBytes.get(type);
  if (uncounted === undefined || start + 4 > end) return -1;
  const length = bytes.readInt32LE(start);
  return length < 0 ? -1 : length + uncounted;
}

function noDocument(): ProtocolError {
  return new ProtocolError("something that is no document");
}

/** A document of these fields, as they are. */
export function documentOf(fields: readonly Field[]): Buffer {
  const elements = fields.map(({ bytes, from, start, length }) => bytes.subarray(from, start + length));
  const document = Buffer.concat([Buffer.alloc(4), ...elements, Buffer.alloc(1)]);
  document.writeInt32LE(document.length, 0);
  return document;
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

/** The length of the document at `at` of bytes. Throws a ProtocolError if it is not all there. */
export function documentLength(bytes: Buffer, at = 0): number {
  const left = bytes.length - at;
  const length = left < 5 ? -1 : bytes.readInt32LE(at);
  if (length < 5 || length > left) throw new ProtocolError("a document with a length that lies");
  return length;
}

/** Documents that stand one behind the other. */
export function documentsIn(bytes: Buffer): readonly Buffer[] {
  const documents: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    if (documents.length === maxFields) throw new ProtocolError(`more than ${maxFields} documents`);
    const end = at + documentLength(bytes, at);
    documents.push(bytes.subarray(at, end));
    at = end;
  }
  return documents;
}

/** By types: double, undefined, ObjectId, boolean, date, null, int32, timestamp, int64, decimal128, key ends. */
const fixedLengths: ReadonlyMap<number, number> = new Map([
  ...([
    [1, 8],
    [6, 0],
    [7, 12],
    [8, 1],
    [9, 8],
    [10, 0],
  ] as const),
  ...([
    [16, 4],
    [17, 8],
    [18, 8],
    [19, 16],
    [127, 0],
    [255, 0],
  ] as const),
]);

/** By types: what the length before a value leaves out. Binary data, DBPointer, code, symbols, code with a scope. */
const uncountedBytes: ReadonlyMap<number, number> = new Map([
  ...([
    [types.text, 4],
    [types.document, 0],
    [types.array, 0],
  ] as const),
  ...([
    [5, 5],
    [12, 16],
    [13, 4],
    [14, 4],
    [15, 0],
  ] as const),
]);

/** Not a prop: a command has some ten, a pipeline up to 1000 stages. */
const maxFields = 1000;
