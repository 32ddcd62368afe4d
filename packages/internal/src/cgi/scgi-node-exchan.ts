// One request to an SCGI server, and its response: a netstring of names and values, the content, and the output until
// the server closes.

import { Buffer } from "node:buffer";
import { CgiNodeExchan, type InputOutcome } from "./node-exchan.ts";

export class ScgiNodeExchan extends CgiNodeExchan {
  protected readonly endsByClose = true;
  protected readonly isReusable = false;

  protected encodeBegin(): Buffer {
    const { params } = this.request;
    return Buffer.concat([Buffer.from(`${params.length}:`), params, Buffer.from(",")]);
  }

  protected encodePiece(size: number): { readonly before: string; readonly size: number } {
    return { before: "", size };
  }

  protected encodeEnd(): string {
    return "";
  }

  protected unwrap(bytes: Buffer): InputOutcome {
    this.produced(bytes);
    return "more";
  }
}
