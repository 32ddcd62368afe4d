// A form that has been read: its fields and uploaded files.

import type { UploadedFile } from "./uploaded-file.ts";

/** Fields and files in order. Names and values come from the client: validate them. */
export class Form implements Iterable<readonly [name: string, value: string]> {
  /** Without fields for which no file was selected. */
  readonly files: readonly UploadedFile[];
  readonly #fields: readonly (readonly [string, string])[];

  /** For the engine. */
  constructor(fields: readonly (readonly [string, string])[], files: readonly UploadedFile[] = []) {
    this.#fields = fields;
    this.files = files;
  }

  /** The first value of the fields with this name. */
  get(name: string): string | undefined {
    return this.#fields.find(([each]) => each === name)?.[1];
  }

  /** All values of the fields with this name, in order. */
  getAll(name: string): string[] {
    return this.#fields.filter(([each]) => each === name).map(([, value]) => value);
  }

  /** All fields, in order. */
  entries(): [name: string, value: string][] {
    return this.#fields.map(([name, value]) => [name, value]);
  }

  [Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    return this.#fields.values();
  }

  /** The first file in the field with this name. */
  file(fieldName: string): UploadedFile | undefined {
    return this.files.find((file) => file.fieldName === fieldName);
  }
}
