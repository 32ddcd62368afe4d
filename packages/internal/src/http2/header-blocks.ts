// Makes header blocks of fields. The heads of requests and answers, which begin them with fields of their own, build on
// this.

import { Buffer } from "node:buffer";
import { HpackEncoder, maxFieldSize } from "./hpack/encoder.ts";

export class HeaderBlocks {
  readonly encoder = new HpackEncoder();

  /** The block of trailers. Good until the next call of any connection. */
  encodeTrailers(fieldList: readonly string[]): Uint8Array {
    const bytes = roomFor(fieldList);
    return bytes.subarray(0, this.writeFields(fieldList, bytes, this.encoder.begin(bytes, 0)));
  }

  /** Writes names and values in turn at `at`; returns where they end. */
  protected writeFields(fieldList: readonly string[], bytes: Uint8Array, at: number): number {
    for (let i = 0; i < fieldList.length; i += 2) {
      at = this.encoder.write(fieldList[i] ?? "", fieldList[i + 1] ?? "", bytes, at);
    }
    return at;
  }
}

/** Where blocks are made, unless they are larger. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024);

/** Room for these fields and the few short ones that begin a response. `more`: for others, in bytes. */
export function roomFor(fieldList: readonly string[], more = 0): Buffer {
  let room = 200 + more;
  for (let i = 0; i < fieldList.length; i += 2) room += maxFieldSize(fieldList[i] ?? "", fieldList[i + 1] ?? "");
  return room <= scratch.length ? scratch : Buffer.allocUnsafeSlow(room);
}
