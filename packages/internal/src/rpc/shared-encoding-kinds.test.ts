// Fields of all kinds, in proto2 and proto3, with values that are right and wrong: byte for byte what protobuf-es
// writes, or nothing.

import { create, createFileRegistry, ScalarType, toBinary, type DescField, type DescMessage } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { protoMessage } from "@hemi/common/rpc-proto";
import { expect, test } from "vitest";

const numeric = [Type.BOOL, Type.INT32, Type.UINT32, Type.SINT32, Type.FIXED32, Type.SFIXED32, Type.FLOAT].concat([
  ...[Type.DOUBLE, Type.INT64, Type.UINT64, Type.SINT64, Type.FIXED64, Type.SFIXED64, Type.ENUM],
]);
const typeNames: Partial<Record<Type, string>> = {
  [Type.ENUM]: ".kinds.Way",
  [Type.MESSAGE]: ".kinds.All",
  [Type.GROUP]: ".kinds.All.Group",
};

/** Two messages: one with fields of all kinds, and in proto2 one with a field that is required. */
function messagesOf(syntax: "proto2" | "proto3"): DescMessage[] {
  let count = 0;
  const field = (type: Type, more: { label?: Label; options?: { packed: boolean }; oneofIndex?: number } = {}) => {
    count++;
    const typeName = typeNames[type];
    // Not in the order of their numbers, and with tags of all lengths.
    const number = count % 2 === 0 ? 536_870_911 - count : count;
    return { name: `f${count}`, number, type, label: Label.OPTIONAL, ...(typeName && { typeName }), ...more };
  };
  const isOld = syntax === "proto2";
  const all = [...numeric, Type.STRING, Type.BYTES, Type.MESSAGE, ...(isOld ? [Type.GROUP] : [])];
  const fields = [
    ...all.map((type) => field(type)),
    ...all.map((type) => field(type, { oneofIndex: 0 })),
    ...all.map((type) => field(type, { label: Label.REPEATED })),
    ...numeric.map((type) => field(type, { label: Label.REPEATED, options: { packed: isOld } })),
  ];
  const number = { name: "n", number: 1, type: Type.INT32 };
  const group = { name: "Group", field: [{ ...number, label: Label.OPTIONAL }] };
  const strict = { name: "Strict", field: [{ ...number, label: Label.REQUIRED }] };
  const ways = [0, 1, -5].map((number) => ({ name: `WAY${String(number).replace("-", "_")}`, number }));
  const file = {
    ...{ name: "kinds.proto", package: "kinds", syntax, enumType: [{ name: "Way", value: ways }] },
    messageType: [
      { name: "All", field: fields, oneofDecl: [{ name: "one" }], nestedType: [group] },
      ...(isOld ? [strict] : []),
    ],
  };
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
  return ["kinds.All", "kinds.Strict"].flatMap((name) => registry.getMessage(name) ?? []);
}

const texts = ["", "a", "ä€🧀", "a\ud800b", "\udc00", "x".repeat(300)];
const bytes = [new Uint8Array(), new Uint8Array(200).fill(3), Buffer.from("abc")];
const numbers = [0, -0, 1, 127, 128, 2 ** 31 - 1, -1, -5, 2 ** 31, 2 ** 32, 1.5, NaN, Infinity, 1e40];
const values = [...texts, ...bytes, ...numbers, true, false, 0n, 5n, -3n, "0", "NaN", null, undefined];

/** The same choices in each run: a linear congruential generator. */
class Choices {
  #state = 1;

  of<T>(list: readonly T[]): T | undefined {
    this.#state = (this.#state * 48_271) % 2_147_483_647;
    return list[this.#state % list.length];
  }

  is(percent: number): boolean {
    return Number(this.of(Array.from({ length: 100 }, (_, i) => i))) < percent;
  }

  messageOf(desc: DescMessage, depth = 0): object {
    const message: Record<string, unknown> = create(desc);
    for (const field of desc.fields) {
      if (!this.is(3)) continue;
      const { localName, oneof } = field;
      if (oneof !== undefined) message[oneof.localName] = { case: localName, value: this.valueOf(field, depth) };
      else if (field.fieldKind !== "list") message[localName] = this.valueOf(field, depth);
      else message[localName] = [this.valueOf(field, depth), this.valueOf(field, depth)];
    }
    return message;
  }

  valueOf({ message, scalar }: DescField, depth: number): unknown {
    if (message !== undefined) return depth > 2 ? create(message) : this.messageOf(message, depth + 1);
    if (this.is(10)) return this.of(values);
    if (scalar === ScalarType.STRING) return this.of(texts);
    if (scalar === ScalarType.BYTES) return this.of(bytes);
    return scalar === ScalarType.BOOL ? this.is(50) : this.of(numbers.slice(0, 6));
  }
}

test.each(["proto2", "proto3"] as const)("messages of %s with fields of all kinds", (syntax) => {
  const choices = new Choices();
  let written = 0;
  for (const desc of messagesOf(syntax)) {
    const { binary } = protoMessage(desc);
    for (let i = 0; i < 3000; i++) {
      const message = choices.messageOf(desc);
      const shared = binary?.encodeShared?.(message);
      if (shared === undefined) continue;
      written++;
      expect(Buffer.from(shared).toString("hex")).toBe(Buffer.from(toBinary(desc, message as never)).toString("hex"));
    }
  }
  expect(written).toBeGreaterThan(300);
});
