// A form that has been read: its fields, and the files that came with it.

import type { UploadedFile } from "./uploaded-file.ts";

/** Fields and files in the order in which they came. Names and values are what the client sent: check them. */
export class Form implements Iterable<readonly [name: string, value: string]> {
  /** Without those of fields where no file was chosen. */
  readonly files: readonly UploadedFile[];
  readonly #fields: readonly (readonly [string, string])[];

  /** For the engine. */
  constructor(fields: readonly (readonly [string, string])[], files: readonly UploadedFile[] = []) {
    this.#fields = fields;
    this.files = files;
  }

  /** The first value of the fields of this name. */
  get(name: string): string | undefined {
    return this.#fields.find(([each]) => each === name)?.[1];
  }

  /** All values of the fields of this name, in their order. */
  getAll(name: string): string[] {
    return this.#fields.filter(([each]) => each === name).map(([, value]) => value);
  }

  /** All fields, in their order. */
  entries(): [name: string, value: string][] {
    return this.#fields.map(([name, value]) => [name, value]);
  }

  [Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    return this.#fields.values();
  }

  /** The first file that came in the field of this name. */
  file(fieldName: string): UploadedFile | undefined {
    return this.files.find((file) => file.fieldName === fieldName);
  }
}
