// The dynamic table of RFC 7541 section 2.3.2: the fields that were added last, by how long ago that was.
//
//    index:   64  63  62         a new field becomes 62, and the oldest ones leave when it is larger than it may be
//            [a] [b] [c] <─ add
//    #first ──^

import { sizeInTable, type HeaderField } from "./header-field.ts";
import { staticCount } from "./static-table.ts";

export class DynamicTable {
  /** Goes up whenever an index comes to mean another field. */
  generation = 0;
  #maxSize: number;
  #size = 0;
  /** Oldest first; what lies before `#first` has left. */
  #fields: HeaderField[] = [];
  #first = 0;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get size(): number {
    return this.#size;
  }

  get maxSize(): number {
    return this.#maxSize;
  }

  set maxSize(maxSize: number) {
    this.#maxSize = maxSize;
    if (this.#size > maxSize) this.#makeRoom(0);
  }

  /** The field at an index above those of the static table. */
  get(index: number): HeaderField | undefined {
    const at = this.#fields.length - (index - staticCount);
    return at < this.#first ? undefined : this.#fields[at];
  }

  /** The newest becomes the first. One that is larger than the table empties it, which is no error (RFC 7541 4.4). */
  add(field: HeaderField): void {
    const size = sizeInTable(field);
    this.#makeRoom(size);
    if (size > this.#maxSize) return;
    this.#fields.push(field);
    this.#size += size;
    this.generation++;
  }

  /** The index of a field with this name and value, else minus that of one with this name, else 0. */
  find(name: string, value: string): number {
    const fields = this.#fields;
    let named = 0;
    for (let at = fields.length - 1; at >= this.#first; at--) {
      const field = fields[at];
      if (field?.name !== name) continue;
      const index = staticCount + fields.length - at;
      if (field.value === value) return index;
      named = -index;
    }
    return named;
  }

  #makeRoom(needed: number): void {
    while (this.#first < this.#fields.length && this.#size + needed > this.#maxSize) {
      const oldest = this.#fields[this.#first++];
      if (oldest !== undefined) this.#size -= sizeInTable(oldest);
      this.generation++;
    }
    // What has left is dropped in one go now and then, and at once when nothing else is there.
    if (this.#first === this.#fields.length || this.#first > maxLeft) {
      this.#fields = this.#fields.slice(this.#first);
      this.#first = 0;
    }
  }
}

/** So many places of fields that have left are kept, before the others move up. */
const maxLeft = 64;
