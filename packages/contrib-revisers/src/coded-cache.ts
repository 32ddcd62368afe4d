// Caches encoded forms of unchanging contents, such as files, within a budget.

import { Buffer } from "node:buffer";
import { type Coding, codings, type KnownContent } from "@hemi/internal";
import { LRUCache } from "lru-cache";

/** For one that makes a form. */
export interface Expected {
  /** Gets the form, once it is made. */
  readonly keep: (form: Buffer) => void;
  /** Hears that no form will come any more. */
  readonly over: () => void;
}

/** A coded form, with what was made of the head that it went out with last. */
export interface CodedForm {
  readonly bytes: Buffer;
  /**
   * The fields before, as that list of the response's which stays the same as long as its fields are those of the file.
   */
  fieldsBefore: readonly string[] | undefined;
  /** `undefined` until the same list has come twice: those that are made for each answer are not worth remembering. */
  fieldsAfter: readonly string[] | undefined;
}

export class CodedCache {
  readonly #forms: LRUCache<number, CodedForm> | undefined;
  /** In bytes; larger forms are not kept. */
  readonly maxKept: number;
  /** Those that are being made. */
  readonly #expected = new Set<number>();

  /** `maxBytes`: for all forms together; 0: none are kept. */
  constructor(maxBytes: number) {
    this.maxKept = Math.floor(maxBytes / 8);
    if (maxBytes > 0)
      this.#forms = new LRUCache({ maxSize: maxBytes, sizeCalculation: ({ bytes }) => bytes.length + formCost });
  }

  get(content: KnownContent, coding: Coding): CodedForm | undefined {
    return this.#forms?.get(keyOf(content, coding));
  }

  /**
   * `undefined`: the form is not wanted, or someone is making it already, so that of a thousand who ask at once one
   * collects it.
   */
  expect(content: KnownContent, coding: Coding): Expected | undefined {
    const key = keyOf(content, coding);
    const forms = this.#forms;
    if (forms === undefined || this.#expected.has(key)) return undefined;
    this.#expected.add(key);
    return {
      keep: (form) => {
        // In memory of its own: it may be a slice of something larger.
        const kept = Buffer.allocUnsafeSlow(form.length);
        form.copy(kept);
        forms.set(key, { bytes: kept, fieldsBefore: undefined, fieldsAfter: undefined });
      },
      over: () => void this.#expected.delete(key),
    };
  }

  clear(): void {
    this.#forms?.clear();
  }
}

/** What keeping one costs beside its bytes, in bytes. */
const formCost = 512;

function keyOf({ identity }: KnownContent, coding: Coding): number {
  return identity * codings.length + codings.indexOf(coding);
}
