// What a response is to a cache that asked for a slice of a resource by a range (RFC 9110 sections 14.4 and 15.3.7).

import { ListedFields, type Fields } from "../../../http/fields.ts";

/** A slice: a part of a resource that a cache asks for and stores by itself. */
export interface Slice {
  /** In bytes. */
  readonly offset: number;
  /** In bytes; the last slice of a resource has fewer. */
  readonly size: number;
  /** The key of the resource, under which a response is stored that comes as a whole. */
  readonly wholeKey: string;
}

/** The key of a slice. No URL and no field can have a line end, so that no client can name a slice. */
export function sliceKey({ wholeKey, offset, size }: Slice): string {
  return `${wholeKey}\nbytes=${offset}-${offset + size - 1}`;
}

/** The value of the field `range` that asks for a slice. */
export function rangeOf({ offset, size }: Slice): string {
  return `bytes=${offset}-${offset + size - 1}`;
}

/** Which response a slice is of: those of another one must not stand beside it. */
export interface SlicedResponse {
  /** A strong entity tag. */
  readonly etag: string;
  /** In bytes. */
  readonly total: number;
}

/** Whether slices of one may stand beside those of the other. */
export function isSame(one: SlicedResponse, other: SlicedResponse): boolean {
  return one.etag === other.etag && one.total === other.total;
}

/**
 * `whole`: all of a resource, or an answer that is not about a part, such as an error. `slice`: what was asked for,
 * with so many bytes. `unsliceable`: it cannot be put together with other slices.
 */
export type SliceAnswer =
  | { readonly kind: "whole"; readonly status: number; readonly fieldList: readonly string[] }
  | { readonly kind: "slice"; readonly size: number }
  | { readonly kind: "unsliceable"; readonly reason: string };

/** `size`: of the content in bytes, if it is announced. */
export function judgeSlice(
  slice: Slice,
  status: number,
  fieldList: readonly string[],
  size: number | undefined,
): SliceAnswer {
  if (status !== 206) return { kind: "whole", status, fieldList };
  const fields = new ListedFields(fieldList);
  const range = contentRangeIn(fields);
  if (range === undefined) return unsliceable("a 206 has no valid content-range of known size");
  const { first, last, total } = range;
  const end = Math.min(slice.offset + slice.size, total);
  if (first !== slice.offset || last !== end - 1) {
    return unsliceable(`a 206 has the bytes ${first} to ${last}, which are not those that were asked for`);
  }
  if (size !== undefined && size !== end - first) return unsliceable("a 206 has another length than its content-range");
  // A 206 with everything is a complete response (RFC 9110 section 15.3.7.3).
  if (first === 0 && end === total) return { kind: "whole", status: 200, fieldList: withoutRange(fieldList) };
  if (slicedResponse(fields) === undefined) return unsliceable("a 206 has no strong etag");
  return { kind: "slice", size: end - first };
}

/** The response that a slice with these fields is of; `undefined` if slices of it cannot be put together. */
export function slicedResponse(fields: Pick<Fields, "get">): SlicedResponse | undefined {
  const etag = fields.get("etag");
  const range = contentRangeIn(fields);
  // Parts are combined by a strong validator only (RFC 9110 section 15.3.7.3).
  return range !== undefined && etag?.startsWith('"') === true ? { etag, total: range.total } : undefined;
}

/** The fields of the complete response. */
export function withoutRange(fieldList: readonly string[]): readonly string[] {
  return fieldList.filter((_, i) => !ofPart.has(fieldList[i - (i % 2)] ?? ""));
}

/** The first byte that a request asks for, in the field `range`; 0 if it asks for all, or in another way. */
export function firstByteIn(range: string | undefined): number {
  const [, first] = /^bytes=(\d{1,15})-/i.exec(range ?? "") ?? [];
  return Number(first ?? 0);
}

function contentRangeIn(
  fields: Pick<Fields, "get">,
): { readonly first: number; readonly last: number; readonly total: number } | undefined {
  const match = /^bytes[ \t]+(\d{1,15})-(\d{1,15})\/(\d{1,15})$/i.exec(fields.get("content-range") ?? "");
  if (match === null) return undefined;
  const [first = 0, last = 0, total = 0] = match.slice(1).map(Number);
  return first <= last && last < total ? { first, last, total } : undefined;
}

function unsliceable(reason: string): SliceAnswer {
  return { kind: "unsliceable", reason };
}

const ofPart: ReadonlySet<string> = new Set(["content-length", "content-range"]);
