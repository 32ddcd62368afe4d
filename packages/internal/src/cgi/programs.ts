// What a backend of programs does, whatever their protocol: takes a request, and gives the answer of one of them.

import type { NodeChoice } from "../backend/node-group.ts";
import type { SelectionHint } from "../backend/selection-hint.ts";
import type { ResponseHandler, WebExchange } from "../http/web-backend.ts";
import type { ParamHandler } from "../httpx/relay/request-params.ts";

/** What programs are told, in the form of a protocol. */
export interface CgiParams {
  readonly add: ParamHandler;
  /** All that was added. */
  bytes(): Buffer;
}

/** What can be asked of a backend of programs. */
export interface CgiBackend {
  readonly protocol: "FastCGI" | "SCGI";
  newParams(): CgiParams;
  whyNoRetry(tried: readonly string[]): string | undefined;
  explain(wish: SelectionHint): NodeChoice;
  /** Begins. The taker may be called before this returns. */
  exchange(request: CgiRequest, wish: SelectionHint, taker: ResponseHandler): WebExchange;
}

/** What a program is asked. */
export interface CgiRequest {
  readonly method: string;
  /** What it is told of the request, encoded as its protocol has it. */
  readonly params: Buffer;
  /** In bytes; `undefined` where that is not known, 0 for no content. */
  readonly contentSize: number | undefined;
  /** Hears what the program complains of. */
  complained(text: string): void;
}
