// google.api.http: the annotation that says how a procedure of protobuf is called by plain HTTP
// (https://google.aip.dev/127).

import type { DescMethod } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { HttpRule } from "@hemi/common/rpc";

/** Those of a method in the order of its annotation; none without one. Throws Error for a malformed annotation. */
export function httpRulesOf({ proto }: DescMethod): readonly HttpRule[] {
  const unknown = proto.options?.$unknown ?? [];
  const parts = unknown
    .filter(({ no, wireType }) => no === annotation && wireType === LengthDelimited)
    .map(({ data }) => new BinaryReader(data).bytes());
  // Parts of one message follow each other (protobuf's encoding: "Last One Wins").
  return parts.length === 0 ? [] : readRules(Buffer.concat(parts));
}

const { LengthDelimited } = WireType;

/** The number of the extension `google.api.http`. */
const annotation = 72_295_728;

/** The numbers of the fields of a google.api.HttpRule. */
const methods: { readonly [number: number]: string | undefined } = {
  2: "GET",
  3: "PUT",
  4: "POST",
  5: "DELETE",
  6: "PATCH",
};
const numbers = { body: 7, custom: 8, additional: 11, responseBody: 12 };
/** Those of a google.api.CustomHttpPattern. */
const customNumbers = { kind: 1, path: 2 };

/** A rule and its additional bindings. */
function readRules(bytes: Uint8Array): readonly HttpRule[] {
  const fields = fieldsOf(bytes);
  const last = (number: number): string => {
    const found = fields.findLast((field) => field.number === number);
    return found === undefined ? "" : utf8.decode(found.bytes);
  };
  const pattern = fields.findLast(({ number }) => methods[number] !== undefined || number === numbers.custom);
  if (pattern === undefined) throw new Error("it has neither a method nor a path");
  const rule = {
    ...readPattern(pattern),
    body: last(numbers.body),
    responseBody: last(numbers.responseBody),
  };
  const additional = fields.filter(({ number }) => number === numbers.additional);
  return [rule, ...additional.flatMap(({ bytes }) => readRules(bytes).slice(0, 1))];
}

function readPattern({ number, bytes }: ReadField): Pick<HttpRule, "method" | "path"> {
  const method = methods[number];
  if (method !== undefined) return { method, path: utf8.decode(bytes) };
  const custom = fieldsOf(bytes);
  const text = (wanted: number): string =>
    utf8.decode(custom.findLast(({ number }) => number === wanted)?.bytes ?? new Uint8Array());
  return { method: text(customNumbers.kind), path: text(customNumbers.path) };
}

interface ReadField {
  readonly number: number;
  readonly bytes: Uint8Array;
}

function fieldsOf(bytes: Uint8Array): readonly ReadField[] {
  const reader = new BinaryReader(bytes);
  const fields: ReadField[] = [];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type === LengthDelimited) fields.push({ number, bytes: reader.bytes() });
    else reader.skip(type);
  }
  return fields;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
