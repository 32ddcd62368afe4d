// The encoder stream of a peer (RFC 9204 4.3): instructions that change our dynamic table, in the order sent.

import { nameFault, valueFault, type HeaderField } from "@hemi/internal";
import { errorCode, Http3ConnError } from "../http3/errors.ts";
import type { DynamicTable } from "./dynamic-table.ts";
import { PrefixReader } from "./prefix-reader.ts";
import { staticFields } from "./static-table.ts";

export class EncoderStream {
  readonly #table: DynamicTable;
  readonly #maxCapacity: number;
  /** The begin of an instruction whose rest has not come. */
  #rest: Buffer | undefined;

  constructor(table: DynamicTable, maxCapacity: number) {
    this.#table = table;
    this.#maxCapacity = maxCapacity;
  }

  /** Throws QPACK_ENCODER_STREAM_ERROR. */
  push(bytes: Buffer): void {
    const reader = new PrefixReader(this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes]));
    let done = 0;
    while (!reader.isAtEnd) {
      this.#follow(reader);
      if (reader.failure === "broken") throw wrong("an instruction cannot be read");
      if (reader.failure === "cutOff") break;
      done = reader.at;
    }
    this.#rest = reader.restFrom(done);
  }

  /** Carries one instruction out, unless it is cut off. */
  #follow(reader: PrefixReader): void {
    const first = reader.next;
    if (first >= 0x80) this.#insertNamed(reader, (first & 0x40) !== 0);
    else if (first >= 0x40) this.#insertLiteral(reader);
    else if (first >= 0x20) this.#setCapacity(reader);
    else this.#duplicate(reader);
  }

  #insertNamed(reader: PrefixReader, isStatic: boolean): void {
    const index = reader.integer(0x3f);
    const value = reader.text(0x7f, this.#maxCapacity, valueFault);
    if (reader.hasFailed()) return;
    const name = isStatic ? staticFields[index]?.[0] : this.#relative(index)?.name;
    if (name === undefined) throw wrong("it inserts a field with a name that is in no table");
    const bytes = Buffer.from(name, "latin1");
    this.#insert({ name, value, fault: nameFault(bytes, 0, bytes.length) ?? reader.fault });
  }

  #insertLiteral(reader: PrefixReader): void {
    const name = reader.text(0x1f, this.#maxCapacity, nameFault);
    const fault = reader.fault;
    const value = reader.text(0x7f, this.#maxCapacity, valueFault);
    if (!reader.hasFailed()) this.#insert({ name, value, fault: fault ?? reader.fault });
  }

  #setCapacity(reader: PrefixReader): void {
    const capacity = reader.integer(0x1f);
    if (reader.hasFailed()) return;
    if (capacity > this.#maxCapacity) throw wrong("it sets a capacity that is larger than allowed");
    this.#table.capacity = capacity;
  }

  #duplicate(reader: PrefixReader): void {
    const index = reader.integer(0x1f);
    if (reader.hasFailed()) return;
    const field = this.#relative(index);
    if (field === undefined) throw wrong("it duplicates a field that is not in the table");
    this.#insert(field);
  }

  #insert(field: HeaderField): void {
    if (!this.#table.insert(field)) throw wrong("it inserts a field that is larger than the table");
  }

  /** 0 is the newest (RFC 9204 3.2.5). */
  #relative(index: number): HeaderField | undefined {
    return this.#table.get(this.#table.inserted - index - 1);
  }
}

function wrong(reason: string): Http3ConnError {
  return new Http3ConnError(errorCode.qpackEncoderStreamError, reason);
}
