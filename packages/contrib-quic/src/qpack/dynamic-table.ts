// The dynamic table of QPACK (RFC 9204 3.2): fields by absolute index, which begins at 0 and never changes.
//
//    inserted = 7:   [2] [3] [4] [5] [6] <─ insert
//    dropped = 2 ─────^   the oldest leave when it grows beyond its capacity

import { sizeInTable, type HeaderField } from "@hemi/internal";

export class DynamicTable {
  #capacity = 0;
  #size = 0;
  /** By absolute index minus `#first`; what lies before `#dropped` has left. */
  #fields: HeaderField[] = [];
  #first = 0;
  #dropped = 0;

  /** How many fields were ever inserted: the absolute index of the next one. */
  get inserted(): number {
    return this.#first + this.#fields.length;
  }

  /** In bytes, counted as in RFC 9204 3.2.1. */
  get size(): number {
    return this.#size;
  }

  /** In bytes. A smaller one drops what no longer has room. */
  get capacity(): number {
    return this.#capacity;
  }

  set capacity(capacity: number) {
    this.#capacity = capacity;
    this.#makeRoom(0);
  }

  /** The field at an absolute index; `undefined`: it has left, or was never there. */
  get(index: number): HeaderField | undefined {
    return index < this.#dropped ? undefined : this.#fields[index - this.#first];
  }

  /** Inserts a field. False: it is larger than the table (RFC 9204 3.2.2). */
  insert(field: HeaderField): boolean {
    const size = sizeInTable(field);
    if (size > this.#capacity) return false;
    this.#makeRoom(size);
    this.#fields.push(field);
    this.#size += size;
    return true;
  }

  #makeRoom(needed: number): void {
    while (this.#size + needed > this.#capacity) {
      const oldest = this.#fields[this.#dropped - this.#first];
      if (oldest === undefined) break;
      this.#size -= sizeInTable(oldest);
      this.#dropped++;
    }
    // The places of those that have left are given up in one go now and then.
    if (this.#dropped - this.#first > maxLeft) {
      this.#fields = this.#fields.slice(this.#dropped - this.#first);
      this.#first = this.#dropped;
    }
  }
}

/** So many places of fields that have left are kept, before the others move up. */
const maxLeft = 64;
