// Writes protobuf messages without memory of their own for each: `toBinary` takes two pieces of it, and a stream of
// small messages pays more for these than for all the rest. What is rare is left to `toBinary`: types of 64 bits, maps,
// oneofs, packed lists, groups, fields that are required or unknown, and values that are wrong, which it reports.

import { encoder } from "./bytes.ts";
import { ScalarType, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";

/** Writes a part of a message. `false`: it is left to `toBinary`. */
type PartWriter<Part> = (out: Output, part: Part) => boolean;
type Fields = Readonly<Record<string, unknown>>;

/**
 * Makes the function that writes messages of a type. What it returns is valid until any such function is called again;
 * `undefined`: the message is left to `toBinary`.
 */
export function sharedWriter(desc: DescMessage): (message: object) => Uint8Array | undefined {
  let write: PartWriter<object> | undefined;
  return (message) => {
    write ??= messageWriter(desc, new Map());
    output.size = 0;
    const isWritten = write(output, message);
    const { bytes, size } = output;
    // One large message must not keep its memory for good.
    if (bytes.length > maxKept) output = new Output();
    return isWritten ? bytes.subarray(0, size) : undefined;
  };
}

/** Memory that grows with what is written. */
class Output {
  bytes = new Uint8Array(1024);
  size = 0;
  #view = new DataView(this.bytes.buffer);

  reserve(size: number): void {
    if (this.bytes.length - this.size >= size) return;
    const larger = new Uint8Array(2 * this.bytes.length + size);
    larger.set(this.bytes.subarray(0, this.size));
    this.bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  /** A varint of 0 to 2^32 - 1. */
  number(value: number): void {
    this.reserve(maxVarint);
    for (; value >= 0x80; value >>>= 7) this.bytes[this.size++] = (value & 0x7f) | 0x80;
    this.bytes[this.size++] = value;
  }

  raw(value: Uint8Array): void {
    this.reserve(value.length);
    this.bytes.set(value, this.size);
    this.size += value.length;
  }

  utf8(value: string): void {
    this.reserve(3 * value.length);
    this.size += encoder.encodeInto(value, this.bytes.subarray(this.size)).written;
  }

  float64(value: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.size, value, true);
    this.size += 8;
  }

  /** What `write` adds, with its length before it. */
  measured(write: () => boolean): boolean {
    // For the longest length: what stands behind it would not move along if memory grew for that.
    this.reserve(maxVarint);
    const start = ++this.size;
    if (!write()) return false;
    const size = this.size - start;
    this.size = start - 1;
    if (size >= 0x80) {
      // Its length takes more than the one byte.
      const moved = varintSize(size) - 1;
      this.size = start + size;
      this.reserve(moved);
      this.bytes.copyWithin(start + moved, start, start + size);
      this.size = start - 1;
    }
    this.number(size);
    this.size += size;
    return true;
  }
}

function varintSize(value: number): number {
  return value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}

/** `known`: of the types that stand around it, which may be the same. */
function messageWriter(desc: DescMessage, known: Map<DescMessage, { write: PartWriter<object> }>): PartWriter<object> {
  const self: { write: PartWriter<object> } = { write: () => false };
  known.set(desc, self);
  const fields = [...desc.fields].sort((a, b) => a.number - b.number).map((field) => fieldWriter(field, known));
  self.write = (out, message) => {
    if (!isOf(message, desc)) return false;
    for (const write of fields) if (!write(out, message)) return false;
    return true;
  };
  return self.write;
}

/** The fields of a message, if it is of this type and has none that are unknown. */
function isOf(message: object, desc: DescMessage): message is Fields {
  if (!("$typeName" in message) || message.$typeName !== desc.typeName) return false;
  return !("$unknown" in message) || message.$unknown === undefined;
}

function fieldWriter(field: DescField, known: Map<DescMessage, { write: PartWriter<object> }>): PartWriter<Fields> {
  const { localName } = field;
  const unset = unsetValueOf(field);
  const write = valueWriter(field, known);
  if (field.fieldKind === "list" && write !== undefined) {
    return (out, message) => {
      const list = message[localName];
      if (!Array.isArray(list)) return false;
      for (const each of list) if (!write(out, each)) return false;
      return true;
    };
  }
  if (unset === undefined || write === undefined) return (_out, message) => isAbsent(field, message);
  const isBytes = field.scalar === ScalarType.BYTES && !unset.isExplicit;
  return (out, message) => {
    const value = message[localName];
    if (isBytes && value instanceof Uint8Array && value.length === 0) return true;
    // Of a double, -0 is another value than 0.
    if (
      unset.isExplicit
        ? !Object.hasOwn(message, localName) || value === undefined
        : value === unset.value && !Object.is(value, -0)
    )
      return true;
    return write(out, value);
  };
}

/** Whether a field that cannot be written need not be. */
function isAbsent(field: DescField, message: Fields): boolean {
  const { localName } = field;
  if (field.oneof !== undefined) {
    const chosen = message[field.oneof.localName];
    return typeof chosen === "object" && chosen !== null && "case" in chosen && chosen.case !== localName;
  }
  if (field.presence === Presence.LEGACY_REQUIRED) return false;
  const value = message[localName];
  if (field.fieldKind === "list") return Array.isArray(value) && value.length === 0;
  if (field.fieldKind === "map") return typeof value === "object" && value !== null && Object.keys(value).length === 0;
  if (field.presence !== Presence.IMPLICIT) return value === undefined || !Object.hasOwn(message, localName);
  // Of a float, -0 is another value than 0.
  return Object.is(value, 0) || value === 0n || value === "0";
}

/** When a single field is not written; `undefined`: that is for `isAbsent` to say. */
function unsetValueOf(field: DescField): { readonly isExplicit: boolean; readonly value?: unknown } | undefined {
  if (field.oneof !== undefined || field.presence === Presence.LEGACY_REQUIRED) return undefined;
  if (field.presence !== Presence.IMPLICIT) return { isExplicit: true };
  if (field.fieldKind === "enum") return { isExplicit: false, value: field.enum.values[0]?.number };
  if (field.fieldKind !== "scalar") return undefined;
  if (field.scalar === ScalarType.BOOL) return { isExplicit: false, value: false };
  if (field.scalar === ScalarType.STRING) return { isExplicit: false, value: "" };
  return { isExplicit: false, value: 0 };
}

/** `undefined`: such values are left to `toBinary`. */
function valueWriter(
  field: DescField,
  known: Map<DescMessage, { write: PartWriter<object> }>,
): PartWriter<unknown> | undefined {
  const { number } = field;
  if (field.fieldKind === "map") return undefined;
  if (field.fieldKind === "list" && field.packed) return undefined;
  if (field.message !== undefined) {
    // Those of Google's own have shapes of their own in JavaScript.
    if (field.delimitedEncoding || field.message.file.proto.package === "google.protobuf") return undefined;
    const inner = known.get(field.message) ?? { write: messageWriter(field.message, known) };
    return (out, value) => {
      if (typeof value !== "object" || value === null) return false;
      out.number(((number << 3) | lengthDelimited) >>> 0);
      return out.measured(() => inner.write(out, value));
    };
  }
  return scalarWriter(field.enum === undefined ? field.scalar : ScalarType.INT32, number);
}

function scalarWriter(scalar: ScalarType | undefined, number: number): PartWriter<unknown> | undefined {
  const tag = (wireType: number): number => ((number << 3) | wireType) >>> 0;
  const [varintTag, fixedTag, delimitedTag] = [tag(0), tag(1), tag(lengthDelimited)];
  switch (scalar) {
    case ScalarType.STRING:
      return (out, value) => {
        if (typeof value !== "string") return false;
        out.number(delimitedTag);
        return out.measured(() => (out.utf8(value), true));
      };
    case ScalarType.BYTES:
      return (out, value) => {
        if (!(value instanceof Uint8Array)) return false;
        out.number(delimitedTag);
        out.number(value.length);
        out.raw(value);
        return true;
      };
    case ScalarType.BOOL:
      return (out, value) => {
        if (typeof value !== "boolean") return false;
        out.number(varintTag);
        out.number(value ? 1 : 0);
        return true;
      };
    case ScalarType.INT32:
    case ScalarType.UINT32:
      return (out, value) => {
        // Negative ones take ten bytes.
        if (typeof value !== "number" || !Number.isInteger(value) || value >= 2 ** 31) return false;
        if (value < 0 || Object.is(value, -0)) return false;
        out.number(varintTag);
        out.number(value);
        return true;
      };
    case ScalarType.DOUBLE:
      return (out, value) => {
        if (typeof value !== "number" || Object.is(value, -0)) return false;
        out.number(fixedTag);
        out.float64(value);
        return true;
      };
    default:
      return undefined;
  }
}

const lengthDelimited = 2;
/** In bytes, of a number below 2^32. */
const maxVarint = 5;
/** In bytes, of memory that is used again. No prop: larger messages are worth memory of their own. */
const maxKept = 256 * 1024;
let output = new Output();
