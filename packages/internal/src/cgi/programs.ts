// What a backend of programs behind FastCGI or SCGI does: takes what a program is told and sent, and gives what it says.

import type { NodeChoice } from "../backend/node-group.ts";
import type { NodeWish } from "../backend/node-wish.ts";
import type { AnswerTaker, WebExchange } from "../backend/web-backend.ts";
import type { CgiRequest } from "./client-exchan.ts";
import type { ParamTaker } from "./request-params.ts";

/** What programs are told, in the form of a protocol. */
export interface CgiParams {
  readonly add: ParamTaker;
  /** All that was added. */
  bytes(): Buffer;
}

/** What can be asked of a backend of programs. */
export interface CgiBackend {
  readonly protocol: "FastCGI" | "SCGI";
  newParams(): CgiParams;
  whyNoRetry(tried: readonly string[]): string | undefined;
  explain(wish: NodeWish): NodeChoice;
  /** Begins. The taker may be called before this returns. */
  exchange(request: CgiRequest, wish: NodeWish, taker: AnswerTaker): WebExchange;
}
