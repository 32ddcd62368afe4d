// Makes header blocks of requests. Many requests of a connection are alike: the last block is kept as it was encoded,
// and good for as long as the encoder's table has not changed.

import { contentLengthIsDue } from "../http/node-exchan.ts";
import type { BackendRequest } from "../http/web-backend.ts";
import { withoutConnection } from "../http/field-lines.ts";
import type { FieldNames } from "../http/field-names.ts";
import type { Fields } from "../http/fields.ts";
import { HeaderBlocks, roomFor } from "./header-blocks.ts";
import { maxFieldSize } from "./hpack/encoder.ts";

/** A head that was encoded, with the request that it was made of. */
interface Remembered {
  readonly request: BackendRequest;
  readonly generation: number;
  readonly block: Uint8Array;
}

export class RequestHeads extends HeaderBlocks {
  #latest: Remembered | undefined;

  /**
   * The block of a request; with a `protocol`, of an extended CONNECT for it (RFC 8441). Good until the next call of
   * any connection.
   */
  encode(request: BackendRequest, protocol?: string): Uint8Array {
    const latest = this.#latest;
    if (
      protocol === undefined &&
      latest?.generation === this.encoder.generation &&
      isSameHead(latest.request, request)
    ) {
      return latest.block;
    }
    const { generation } = this.encoder;
    const { method, scheme, authority, target, contentSize } = request;
    const fieldList = passedFields(request.received, request.dropped, request.added);
    const bytes = roomFor(fieldList, maxFieldSize(authority, target) + maxFieldSize(method, protocol ?? ""));
    let at = this.encoder.begin(bytes, 0, request.received.neverIndexed);
    at = this.encoder.write(":method", protocol === undefined ? method : "CONNECT", bytes, at);
    if (protocol !== undefined) at = this.encoder.write(":protocol", protocol, bytes, at);
    at = this.encoder.write(":scheme", scheme, bytes, at);
    at = this.encoder.write(":authority", authority, bytes, at);
    at = this.encoder.write(":path", target, bytes, at);
    at = this.writeFields(fieldList, bytes, at);
    // They are passed on, and some servers of gRPC do not answer without.
    at = this.encoder.write("te", "trailers", bytes, at);
    if (protocol === undefined && contentLengthIsDue(method, contentSize)) {
      at = this.encoder.write("content-length", String(contentSize), bytes, at);
    }
    const block = bytes.subarray(0, at);
    // What added to the table will be shorter the next time.
    if (protocol !== undefined || generation !== this.encoder.generation || at > maxRemembered) return block;
    this.#latest = { request, generation, block: new Uint8Array(block) };
    return block;
  }
}

/**
 * Names and values of fields in turn, but for those that are dropped, and those that their field `connection` names.
 */
export function passedFields(fields: Fields, dropped: FieldNames, added: readonly string[] = []): string[] {
  const list: string[] = [];
  const names = withoutConnection(fields, dropped);
  for (const [name, value] of fields) {
    const lowerCase = name.toLowerCase();
    if (!names.has(lowerCase)) list.push(lowerCase, value);
  }
  list.push(...added);
  return list;
}

function isSameHead(known: BackendRequest, request: BackendRequest): boolean {
  const { length } = request.added;
  if (
    known.received !== request.received ||
    known.dropped !== request.dropped ||
    known.target !== request.target ||
    known.authority !== request.authority ||
    known.method !== request.method ||
    known.scheme !== request.scheme ||
    known.contentSize !== request.contentSize ||
    known.added.length !== length
  )
    return false;
  for (let i = 0; i < length; i++) if (known.added[i] !== request.added[i]) return false;
  return true;
}

/** Blocks up to this are remembered, in bytes. No prop: it only makes encoding cheaper. */
const maxRemembered = 512;
