// Reads the field sections of a peer (RFC 9204 sections 2.2, 4.3 and 4.5).
//
//   the peer's encoder stream ──> EncoderStream ──> dynamic table
//   a field section ── needs more inserts than there were ──> blocked: its stream waits
//                   └─ decode ──> DecodedBlock, and an acknowledgment on our decoder stream
//
// Bombs: the table never holds more than we allow, a section is decoded up to the limits of heads and no further (it
// changes nothing for later ones), and no more streams may be blocked than we allow.

import { nameFault, nameFaultOf, neverIndexedFields, valueFault } from "@hemi/internal";
import type { DecodedBlock, HeaderField, HeadLimits } from "@hemi/internal";
import { errorCode, Http3ConnError } from "../http3/errors.ts";
import { DynamicTable } from "./dynamic-table.ts";
import { EncoderStream } from "./encoder-stream.ts";
import { PrefixReader } from "./prefix-reader.ts";
import { integer } from "./prefix-writer.ts";
import { staticFields } from "./static-table.ts";

export interface QpackDecoderOptions {
  /** What our SETTINGS_QPACK_MAX_TABLE_CAPACITY says, in bytes. */
  readonly maxCapacity: number;
  /** Sends instructions on our decoder stream. */
  readonly send: (instruction: Buffer) => void;
  /** The same for acknowledgments of sections, which may wait, but keep their place. Default: `send`. */
  readonly acknowledge?: (instruction: Buffer) => void;
}

/** How a section begins (RFC 9204 4.5.1). */
interface SectionPrefix {
  readonly requiredInserts: number;
  readonly base: number;
}

export class QpackDecoder {
  readonly #options: QpackDecoderOptions;
  readonly #table = new DynamicTable();
  readonly #encoderStream: EncoderStream;
  /** Inserts that the peer knows that we have. */
  #acknowledged = 0;

  constructor(options: QpackDecoderOptions) {
    this.#options = options;
    this.#encoderStream = new EncoderStream(this.#table, options.maxCapacity);
  }

  /** Bytes of the peer's encoder stream. Throws QPACK_ENCODER_STREAM_ERROR. */
  instructed(bytes: Buffer): void {
    this.#encoderStream.push(bytes);
  }

  /** Tells the peer which inserts have come. Called when the sections that waited for them have been read. */
  acknowledgeInserts(): void {
    const { inserted } = this.#table;
    if (inserted > this.#acknowledged) this.#options.send(integer(0x00, 0x3f, inserted - this.#acknowledged));
    this.#acknowledged = inserted;
  }

  /** Whether a section has to wait for inserts. Throws QPACK_DECOMPRESSION_FAILED. */
  isBlocked(section: Buffer): boolean {
    // Most need none.
    if (section[0] === 0) return false;
    return this.#readPrefix(new PrefixReader(section)).requiredInserts > this.#table.inserted;
  }

  /**
   * Reads a section that is not blocked, and acknowledges it. Throws QPACK_DECOMPRESSION_FAILED. What is beyond the
   * limits is left out.
   */
  decode(streamId: number, section: Buffer, limits: HeadLimits): DecodedBlock {
    const reader = new PrefixReader(section);
    const { requiredInserts, base } = this.#readPrefix(reader);
    const block: DecodedBlock = { list: [], isTooLarge: false, fault: undefined };
    let size = 0;
    while (!reader.isAtEnd && !block.isTooLarge) {
      // Literals with the bit N set, by a name of a table or by their own.
      const isNeverIndexed = (reader.next & 0xe0) === 0x60 || (reader.next & 0xf0) === 0x30;
      const isNeverPostBase = (reader.next & 0xf8) === 0x08;
      const field = this.#readField(reader, base, requiredInserts);
      if (field === undefined) throw broken("a field section cannot be read");
      block.fault ??= field.fault;
      if ((isNeverIndexed || isNeverPostBase) && !neverIndexedFields.has(field.name))
        (block.neverIndexed ??= new Set()).add(field.name);
      size += field.name.length + field.value.length + 4;
      if (size > limits.maxHeadSize || block.list.length >= limits.maxFields * 2) block.isTooLarge = true;
      else block.list.push(field.name, field.value);
    }
    if (requiredInserts > 0) {
      const { send, acknowledge = send } = this.#options;
      // One that tells the peer of inserts, too, is waited for: until then it may not refer to them.
      const isNews = requiredInserts > this.#acknowledged;
      (isNews ? send : acknowledge)(integer(0x80, 0x7f, streamId));
      this.#acknowledged = Math.max(this.#acknowledged, requiredInserts);
    }
    return block;
  }

  /** A stream whose sections will not be read any more (RFC 9204 4.4.2). */
  cancel(streamId: number): void {
    if (this.#options.maxCapacity > 0) this.#options.send(integer(0x40, 0x3f, streamId));
  }

  #readPrefix(reader: PrefixReader): SectionPrefix {
    const encoded = reader.integer(0xff);
    const isNegative = (reader.next & 0x80) !== 0;
    const delta = reader.integer(0x7f);
    if (reader.hasFailed()) throw broken("a field section has no prefix");
    const requiredInserts = this.#requiredInserts(encoded);
    const base = isNegative ? requiredInserts - delta - 1 : requiredInserts + delta;
    if (base < 0) throw broken("a field section has a base below zero");
    return { requiredInserts, base };
  }

  /** RFC 9204 4.5.1.1: it is sent modulo twice the entries that the table can have. */
  #requiredInserts(encoded: number): number {
    if (encoded === 0) return 0;
    const maxEntries = Math.floor(this.#options.maxCapacity / 32);
    const fullRange = 2 * maxEntries;
    if (encoded > fullRange) throw broken("a field section needs more inserts than there can be");
    const maxValue = this.#table.inserted + maxEntries;
    let required = Math.floor(maxValue / fullRange) * fullRange + encoded - 1;
    if (required > maxValue) required -= fullRange;
    if (required <= 0) throw broken("a field section needs a number of inserts that cannot be");
    return required;
  }

  /** RFC 9204 4.5.2 to 4.5.6. */
  #readField(reader: PrefixReader, base: number, requiredInserts: number): HeaderField | undefined {
    const first = reader.next;
    let named: HeaderField | undefined;
    // 1Txxxxxx: a field of a table; 0001xxxx: one behind the base
    if (first >= 0x80) {
      const index = reader.integer(0x3f);
      if (reader.hasFailed()) return undefined;
      return (first & 0x40) !== 0 ? staticEntries[index] : this.#dynamic(base - index - 1, requiredInserts);
    }
    if ((first & 0xf0) === 0x10) {
      const index = reader.integer(0x0f);
      return reader.hasFailed() ? undefined : this.#dynamic(base + index, requiredInserts);
    }
    // 01NTxxxx: a name of a table; 0000Nxxx: one behind the base; 001NHxxx: a name of its own
    if ((first & 0xc0) === 0x40) {
      const index = reader.integer(0x0f);
      named = (first & 0x10) !== 0 ? staticEntries[index] : this.#dynamic(base - index - 1, requiredInserts);
    } else if ((first & 0xf0) === 0x00) {
      named = this.#dynamic(base + reader.integer(0x07), requiredInserts);
    } else {
      const name = reader.text(0x07, maxText, nameFault);
      named = { name, value: "", fault: reader.fault };
    }
    if (named === undefined || reader.hasFailed()) return undefined;
    const value = reader.text(0x7f, maxText, valueFault);
    if (reader.hasFailed()) return undefined;
    return { name: named.name, value, fault: nameFaultOf(named) ?? reader.fault };
  }

  /** One beyond those that the section says it needs may not be there at another time (RFC 9204 2.2.3). */
  #dynamic(index: number, requiredInserts: number): HeaderField | undefined {
    return index < requiredInserts ? this.#table.get(index) : undefined;
  }
}

function broken(reason: string): Http3ConnError {
  return new Http3ConnError(errorCode.qpackDecompressionFailed, reason);
}

const staticEntries: readonly HeaderField[] = staticFields.map(([name, value]) => ({ name, value, fault: undefined }));

/** The frame that a section comes in is limited already. */
const maxText = Infinity;
