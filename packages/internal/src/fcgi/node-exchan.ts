// One request to a FastCGI server, and its answer.

import { Buffer } from "node:buffer";
import type { NodeOwner } from "../backend/backend.ts";
import type { SelectionHint } from "../backend/selection-hint.ts";
import type { ResponseHandler } from "../http/web-backend.ts";
import { CgiNodeExchan, type CgiPool, type InputOutcome } from "../cgi/node-exchan.ts";
import type { CgiRequest } from "../cgi/programs.ts";
import { RecordReader, type RequestEnd } from "./record-reader.ts";
import { beginRequest, maxContentSize, paramsRecords, recordHeader, recordTypes } from "./records.ts";

export class FcgiNodeExchan extends CgiNodeExchan {
  readonly #keepConn: boolean;
  readonly #reader = new RecordReader({
    stdout: (piece) => this.produced(piece),
    stderr: (piece) => this.request.complained(piece.toString("utf8")),
    ended: (end) => (this.#end = end),
  });
  #end: RequestEnd | undefined;

  /** `keepConn`: the server is asked to keep the connection afterwards. */
  constructor(
    request: CgiRequest,
    wish: SelectionHint,
    taker: ResponseHandler,
    { owner, keepConn }: { owner: NodeOwner<CgiPool>; keepConn: boolean },
  ) {
    super(request, wish, taker, owner);
    this.#keepConn = keepConn;
  }

  protected readonly endsByClose = false;

  protected get isReusable(): boolean {
    return this.#keepConn && this.#reader.isOver;
  }

  protected encodeBegin(): Buffer {
    return Buffer.concat([beginRequest(this.#keepConn), paramsRecords(this.request.params)]);
  }

  protected encodePiece(size: number): { readonly before: string; readonly size: number } {
    const taken = Math.min(size, maxContentSize);
    return { before: recordHeader(recordTypes.stdin, taken).toString("latin1"), size: taken };
  }

  protected encodeEnd(): string {
    return endOfStdin;
  }

  protected unwrap(bytes: Buffer): InputOutcome {
    const failure = this.#reader.read(bytes);
    if (failure !== undefined) return { failure };
    const end = this.#end;
    if (end === undefined) return "more";
    if (end.protocolStatus !== 0)
      return { failure: `it refused the request: ${refusals[end.protocolStatus] ?? end.protocolStatus}` };
    if (end.appStatus !== 0) this.request.complained(`the program ended with status ${end.appStatus}`);
    return "complete";
  }
}

const endOfStdin = recordHeader(recordTypes.stdin, 0).toString("latin1");

/** The protocol status of an end that is no completion (FastCGI 1.0, section 5.5). */
const refusals: { readonly [status: number]: string | undefined } = {
  1: "it takes one request at a time on a connection",
  2: "it is overloaded",
  3: "it does not know the role of a responder",
};
