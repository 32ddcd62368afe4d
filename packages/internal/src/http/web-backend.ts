// What a backend of web servers does, whatever HTTP version it speaks: takes a request, and gives the answer of one of
// its nodes.
//
//   httpProxy ── BackendRequest, content ──> WebBackend ──> a node, by its balancer ──> conn (HTTP/1, 2)
//   httpProxy <── head, content, end ─────── ResponseHandler <──────────────────────────────┘
//
// Calls, no promises and no streams: a small answer goes through in the turn of the event loop in which it came.

import type { Duplex } from "node:stream";
import { capability } from "../component/capability.ts";
import type { FieldNames } from "./field-names.ts";
import type { Fields } from "./fields.ts";
import type { BackendFailure } from "../backend/failure.ts";
import type { NodeChoice } from "../backend/node-choice.ts";
import type { SelectionHint } from "../backend/selection-hint.ts";

/** What passes requests on and gives answers: a backend, or whatever can stand for one. */
export interface WebBackend {
  /** The name of the cookie that ties a client to its node; `undefined` if none does. */
  readonly stickyCookie: string | undefined;
  /**
   * Why a request that failed at these nodes may not be tried once more: there is no other node, or too much of what is
   * asked of the backend are retries already. `undefined` if it may; then that is counted.
   */
  whyNoRetry(tried: readonly string[]): string | undefined;
  /** Which node would get a request of this wish, and what stands against each of the others. Changes nothing. */
  explain(wish: SelectionHint): NodeChoice;
  /** Begins. The taker may be called before this returns. */
  exchange(request: BackendRequest, wish: SelectionHint, taker: ResponseHandler): WebExchange;
}

/** A web backend whose nodes may leave HTTP. */
export interface TunnelBackend extends WebBackend {
  /**
   * Begins, without content, and asks the node to leave HTTP for a protocol, in lower case. Keys of the handshake
   * (`sec-websocket-key`, `-accept`) are between the backend and the node.
   */
  tunnel(request: BackendRequest, protocol: string, wish: SelectionHint, taker: TunnelHandler): WebExchange;
}

/** Whether nodes of a backend may leave HTTP. */
export function hasTunnels(backend: WebBackend): backend is TunnelBackend {
  return "tunnel" in backend;
}

/** What backends offer that pass on requests of the web. */
export const webBackend = capability<WebBackend>("http-backend");

/** What backends offer that can open tunnels, too: for WebSockets, and what else begins as an upgrade. */
export const tunnelBackend = capability<TunnelBackend>("http-tunnels");

/** The head of a request to a backend. It may be used again, to try another node. */
export interface BackendRequest {
  /** In the case received, such as `GET`. */
  readonly method: string;
  /** How the client came: what `:scheme` is in HTTP/2. */
  readonly scheme: "http" | "https";
  /** What the node is asked for: the value of `host`. "": the node's own; a request by HTTP/1.0 may say none. */
  readonly authority: string;
  /** Path and query, encoded. */
  readonly target: string;
  /** The fields as they were received. */
  readonly received: Fields;
  /**
   * Those of them that are not passed on: `host` and `connectionFields` in any case. What the field `connection` names
   * beside is the codec's to leave out.
   */
  readonly dropped: FieldNames;
  /** Fields behind them: names in lower case and values in turn, all checked. */
  readonly added: readonly string[];
  /** In bytes; `undefined` where that is not known, 0 for no content. */
  readonly contentSize: number | undefined;
  /** Default: those of the backend. */
  readonly timeouts?: NodeTimeouts;
}

/** In ms, in place of the settings of a backend; looked at whenever they are used. */
export interface NodeTimeouts {
  readonly readTimeout?: number | undefined;
  readonly writeTimeout?: number | undefined;
}

/** The head of an answer. */
export interface NodeResponseHead {
  /** 200 to 999. */
  readonly status: number;
  /** The reason phrase, if it is not that of the status. */
  readonly reason?: string | undefined;
  /** The header fields. */
  readonly fields: Fields;
  /** In bytes; `undefined` where that is not known. For HEAD, the size that a GET would have. */
  readonly contentSize: number | undefined;
  /**
   * Names in lower case and values in turn, without `dropped`, in which `connectionFields` are, and what the field
   * `connection` names.
   */
  fieldList(dropped: FieldNames): readonly string[];
}

/**
 * Hears an answer: 1xx answers, a head, pieces, the end; or how it failed, at any moment, and nothing after that. Must
 * not throw.
 */
export interface ResponseHandler {
  /** A 1xx answer, but never 100 or 101. */
  interim(status: number, fields: Fields): void;
  /**
   * The head. `whole`: all of the content, where it has come already, and nothing follows; its bytes are the taker's.
   */
  answered(head: NodeResponseHead, whole: Uint8Array | undefined): void;
  /**
   * A piece of content; its bytes are the taker's. False: no more, please, until `resume()`. `done`, if there is one,
   * may be called once by a taker that needs the bytes no longer: other content is read into them then.
   */
  content(piece: Uint8Array, done?: () => void): boolean;
  /** The response is complete. */
  ended(trailers: Fields): void;
  /** The response breaks off here; nothing more comes. */
  failed(failure: BackendFailure): void;
}

/** Hears what a node makes of the wish to leave HTTP: it does, or it answers. */
export interface TunnelHandler extends ResponseHandler {
  /**
   * The node has left HTTP: the stream, paused, is the bytes of both directions from here on. It is the taker's, with
   * all limits in time; the node counts it as work until it is closed. Nothing is called after that.
   */
  switched(head: NodeResponseHead, stream: Duplex): void;
}

/** That an exchange may leave HTTP for a protocol, in lower case. */
export interface TunnelRequest {
  readonly protocol: string;
  readonly taker: TunnelHandler;
}

/** One request on its way. Once the answer has ended or failed, all of its methods do nothing. */
export interface WebExchange {
  /** The id of the node that has it; `undefined` while none has. */
  readonly node: string | undefined;
  /** What ties a client to that node: a value for `stickyCookie`. */
  readonly tag: string | undefined;
  /**
   * A piece of the request's content. False: the node is slow; await `writable()`. `done` may be called once when the
   * bytes are no longer needed, by protocols that know it.
   */
  sendContent(piece: Uint8Array, done?: () => void): boolean;
  /** Settles when more may be sent, and when there is no use in that any more. Never rejects. */
  writable(): Promise<void>;
  /** The content of the request is complete. */
  endContent(trailers: Fields): void;
  /** The taker wants more content. */
  resume(): void;
  /** The answer is not wanted any more. Nothing is told to the taker from here on. */
  cancel(): void;
}
