// What a backend of programs does, whatever their protocol: takes a request, and gives the answer of one of them.

import type { NodeChoice } from "../backend/node-group.ts";
import type { SelectionHint } from "../backend/selection-hint.ts";
import type { ResponseHandler, WebExchange } from "../http/web-backend.ts";
import { capability } from "../component/capability.ts";

/** Takes a name and a value. `latin1`: the value stands for bytes as they were received. */
export type ParamHandler = (name: string, value: string, encoding: "utf8" | "latin1") => void;

/** What programs are told, in the form of a protocol. */
export interface CgiParams {
  /** Adds a param: a name and its value. */
  readonly add: ParamHandler;
  /** All that was added. */
  bytes(): Buffer;
}

/** What can be asked of a backend of programs. */
export interface CgiBackend {
  /** Makes an empty set of params for a request. */
  newParams(): CgiParams;
  /** Why no node beside those that were tried can be asked; `undefined` if one can. */
  whyNoRetry(tried: readonly string[]): string | undefined;
  /** Tells which node would get a request, and does nothing. */
  explain(wish: SelectionHint): NodeChoice;
  /** Begins. The taker may be called before this returns. */
  exchange(request: CgiRequest, wish: SelectionHint, taker: ResponseHandler): WebExchange;
}

/** What backends of FastCGI servers offer. */
export const fcgiPrograms = capability<CgiBackend>("fastcgi-programs");

/** What backends of SCGI servers offer. */
export const scgiPrograms = capability<CgiBackend>("scgi-programs");

/** What a program is asked. */
export interface CgiRequest {
  /** In the case received, such as `GET`. */
  readonly method: string;
  /** What it is told of the request, encoded as its protocol has it. */
  readonly params: Buffer;
  /** In bytes; `undefined` where that is not known, 0 for no content. */
  readonly contentSize: number | undefined;
  /** Hears what the program complains of. */
  complained(text: string): void;
}
