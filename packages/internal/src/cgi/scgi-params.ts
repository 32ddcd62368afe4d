// Names and values as SCGI sends them: each ends with a NUL; the length of the content comes first.

import { Buffer } from "node:buffer";
import type { CgiParams } from "./programs.ts";

export class ScgiParams implements CgiParams {
  #size = "0";
  readonly #pieces: Buffer[] = [];

  add(name: string, value: string, encoding: "utf8" | "latin1"): void {
    if (name === "CONTENT_LENGTH") this.#size = value === "" ? "0" : value;
    // A value with a NUL would pass for two.
    else if (!value.includes("\0")) this.#pieces.push(Buffer.from(`${name}\0`), Buffer.from(`${value}\0`, encoding));
  }

  bytes(): Buffer {
    return Buffer.concat([Buffer.from(`CONTENT_LENGTH\0${this.#size}\0SCGI\x001\0`), ...this.#pieces]);
  }
}
