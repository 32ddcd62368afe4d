// The content of gRPC-Web as text.

import { ExchanError } from "../../http/exchan-error.ts";

/** Decodes base64 that comes in pieces, and may have padding within: each message may be encoded by itself. */
export class Base64Pieces {
  /** Less than four characters that have come. */
  #rest = "";

  /** `undefined` at the end. Throws HEMI_CONTENT_BROKEN. */
  decode(piece: Uint8Array | undefined): Uint8Array | undefined {
    if (piece === undefined) {
      if (this.#rest !== "") throw notBase64();
      return undefined;
    }
    const text = this.#rest + Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString("latin1");
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    const groups = text.slice(0, whole);
    if (!/^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)*$/.test(groups)) throw notBase64();
    const parts = groups.match(/[^=]+={0,2}/g) ?? [];
    return Buffer.concat(parts.map((part) => Buffer.from(part, "base64")));
  }
}

function notBase64(): ExchanError {
  return new ExchanError("HEMI_CONTENT_BROKEN", "the content of the request is not base64");
}
