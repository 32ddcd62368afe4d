// Names and values as FastCGI sends them: each with its length, in one byte up to 127, in four with the first bit set
// beyond.

import { Buffer } from "node:buffer";
import type { CgiParams } from "../cgi/programs.ts";

export class FcgiParams implements CgiParams {
  /** Bytes 0 to 255, one a character: cheaper than a buffer for each pair. */
  #text = "";

  /** Text is sent as UTF-8, but for `latin1` ones: what came as bytes from a client goes out as the same bytes. */
  add(name: string, value: string, encoding: "utf8" | "latin1" = "utf8"): void {
    const bytes = encoding === "latin1" || isASCII.test(value) ? value : Buffer.from(value, "utf8").toString("latin1");
    this.#text += lengthOf(name.length) + lengthOf(bytes.length) + name + bytes;
  }

  bytes(): Buffer {
    return Buffer.from(this.#text, "latin1");
  }
}

const isASCII = /^[\0-\x7f]*$/;

function lengthOf(size: number): string {
  if (size < 128) return String.fromCharCode(size);
  return String.fromCharCode(0x80 | (size >>> 24), (size >>> 16) & 255, (size >>> 8) & 255, size & 255);
}
