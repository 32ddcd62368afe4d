// The fields of a message, as rules of HTTP need them: what texts of paths and queries become in its JSON.

import type { Json } from "../openapi-schemas.ts";

/** One field. */
export interface BoundField {
  /** As templates and queries have it. They may have the one of JSON, too. */
  readonly name: string;
  readonly jsonName: string;
  /** In messages of the program. */
  readonly localName: string;
  /** Whether it may be a variable of a path: it has one value, which is no message. */
  readonly isScalar: boolean;
  /** Whether texts of a query can be its values. */
  readonly takesText: boolean;
  /** The message that it is; `undefined`: none that has fields. */
  readonly inner: BoundMessage | undefined;
  /** Its JSON Schema, with `$defs`. */
  readonly schema: Json;
  /** What JSON leaves out because it is the default. */
  readonly defaultJson: unknown;
  /** Its JSON. Several texts are for a list only. Throws RpcError `invalid_argument`. */
  jsonOfTexts(texts: readonly string[]): unknown;
}

/** The message of a procedure, or one inside it. */
export interface BoundMessage {
  /** For error messages, and equal for those that contain themselves. */
  readonly name: string;
  /** Those that are known. */
  readonly fields: readonly BoundField[];
  /** By either of its names. */
  find(name: string): BoundField | undefined;
}

/** The fields that a path such as `book.author_id` leads over. Throws Error if there is no such field. */
export function fieldsAt(message: BoundMessage, path: string): readonly BoundField[] {
  const fields: BoundField[] = [];
  let inside: BoundMessage | undefined = message;
  for (const name of path.split(".")) {
    const field: BoundField | undefined = inside?.find(name);
    if (field === undefined) throw new Error(`a ${message.name} has no field ${path}`);
    fields.push(field);
    inside = field.inner;
  }
  return fields;
}

/** Whether a path leads to the field of `above`, or to one inside it. */
export function isBeneath(path: readonly BoundField[], above: readonly BoundField[]): boolean {
  return above.every(({ name }, at) => name === path[at]?.name);
}
