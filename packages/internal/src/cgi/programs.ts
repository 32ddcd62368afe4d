// A backend of programs, whatever their protocol: takes a request, and returns the response of a program.

import type { NodeChoice } from "../backend/node-choice.ts";
import type { SelectionHint } from "../backend/selection-hint.ts";
import type { ResponseHandler, WebExchange } from "../http/web-backend.ts";
import { capability } from "../component/capability.ts";

/** Takes a name and a value. `latin1`: the value represents bytes as they were received. */
export type ParamHandler = (name: string, value: string, encoding: "utf8" | "latin1") => void;

/** The parameters of a request in the format of a protocol. */
export interface CgiParams {
  /** Adds a param: a name and its value. */
  readonly add: ParamHandler;
  /** All that was added. */
  bytes(): Buffer;
}

/** The interface of a backend of programs. */
export interface CgiBackend {
  /** Makes an empty set of params for a request. */
  newParams(): CgiParams;
  /** Why no other node can be tried; `undefined` if one can. */
  whyNoRetry(tried: readonly string[]): string | undefined;
  /** Returns which node would get a request, without side effects. */
  explain(wish: SelectionHint): NodeChoice;
  /** Starts a request. The handler may be called before this returns. */
  exchange(request: CgiRequest, wish: SelectionHint, taker: ResponseHandler): WebExchange;
}

/** The capability of FastCGI backends. */
export const fcgiPrograms = capability<CgiBackend>("fastcgi-programs");

/** The capability of SCGI backends. */
export const scgiPrograms = capability<CgiBackend>("scgi-programs");

/** A request to a program. */
export interface CgiRequest {
  /** In the case received, such as `GET`. */
  readonly method: string;
  /** Its parameters, encoded for its protocol. */
  readonly params: Buffer;
  /** In bytes; `undefined` where that is not known, 0 for no content. */
  readonly contentSize: number | undefined;
  /** Receives the program's standard error output. */
  complained(text: string): void;
}
