// Names and values as FastCGI sends them: each with its length, in one byte up to 127, in four with the first bit set beyond.

import type { CgiParams } from "../cgi/programs.ts";

export class FcgiParams implements CgiParams {
  readonly #pieces: Buffer[] = [];

  add(name: string, value: string, encoding: "utf8" | "latin1" = "utf8"): void {
    const nameSize = Buffer.byteLength(name);
    const valueSize = Buffer.byteLength(value, encoding);
    const pair = Buffer.allocUnsafe(sizeOfLength(nameSize) + sizeOfLength(valueSize) + nameSize + valueSize);
    let at = writeLength(pair, writeLength(pair, 0, nameSize), valueSize);
    at += pair.write(name, at);
    pair.write(value, at, encoding);
    this.#pieces.push(pair);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}

function sizeOfLength(length: number): 1 | 4 {
  return length < 128 ? 1 : 4;
}

function writeLength(bytes: Buffer, at: number, length: number): number {
  if (length < 128) return bytes.writeUInt8(length, at);
  return bytes.writeUInt32BE((length | 0x80000000) >>> 0, at);
}
