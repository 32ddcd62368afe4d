// One request with its response, whatever the HTTP version: what a codec gives to the engine, and what it takes from
// it.
//
//   socket ─> conn (HTTP/1, 2, 3) ── RequestHead, content ──> Request  ─┐
//                                                                       ├─ webapp, rules, handlets
//   socket <─ conn (HTTP/1, 2, 3) <── head, content, end ─── Response <─┘
//
// Request and Response know only this page. A codec knows neither of them: it is handed heads and content.

import type { Duplex } from "node:stream";
import type { Peer } from "../net/peer.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import type { EndReason } from "./end-reason.ts";
import type { ExchanError } from "./exchan-error.ts";
import type { Fields } from "./fields.ts";
import type { ForwardedTrust } from "./forwarded-source.ts";

/** The version that the client speaks. */
export type HttpVersion = "1.0" | "1.1" | "2" | "3";

/** The head of a request as its codec read it; strings are decoded when asked for. */
export interface RequestHead {
  /** That of the message. */
  readonly version: HttpVersion;
  /** In the case received: methods are case-sensitive (RFC 9110 9.1). */
  readonly method: string;
  /** How it came. */
  readonly scheme: "http" | "https";
  /**
   * What the client says in its target of how it came, or of how its proxy is to ask; left out where it says nothing.
   */
  readonly targetScheme?: "http" | "https" | undefined;
  /** Host and port as received; "" for HTTP/1.0 without a host. */
  readonly authority: string;
  /** Path and query as received; `*` for `OPTIONS *`, "" for CONNECT. */
  readonly target: string;
  /** Scheme and authority stand in the target, as in requests to proxies (RFC 9112 3.2.2). HTTP/2 always has them. */
  readonly isForProxy?: boolean;
  /**
   * The path holds something that `path.ts` must look at: a percent sign, a dot segment, a backslash, two slashes in a
   * row.
   */
  readonly pathNeedsCare: boolean;
  /** The header fields. */
  readonly fields: Fields;
  /** In bytes; `undefined` where the sender did not say (chunked), 0 for no content. */
  readonly contentSize: number | undefined;
  /**
   * The protocols that the client would rather speak on this exchan, in lower case, its favourite first: `websocket`.
   * Those of the field `upgrade` (RFC 9110 7.8), or that of an extended CONNECT (RFC 8441), whose method then is GET.
   * Empty where there are none, and where the request has content, which would have to be read before.
   */
  readonly upgrades: readonly string[];
}

/** A stretch of an open file. The wire reads it before `sendRegion` settles; the descriptor stays the caller's. */
export interface FileRegion {
  /** An open file; whoever sends the region leaves it open until it is sent. */
  readonly fd: number;
  /** In bytes from the start of the file. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
}

/** The head of a response, as it is handed to a codec. */
export interface ResponseHead {
  /** 200 to 999. */
  readonly status: number;
  /** The reason phrase, checked; `undefined`: that of the status. HTTP/2 has none. */
  readonly reason?: string | undefined;
  /** Protocols of the field `upgrade`, checked; `undefined`: none. Only HTTP/1.1 has it. */
  readonly upgrade?: string | undefined;
  /** Names in lower case and values in turn, all checked. Holds no fields of the message's framing. */
  readonly fieldList: readonly string[];
  /** See `Fields`. */
  readonly neverIndexed?: ReadonlySet<string> | undefined;
}

/**
 * Hears how a response ended. `status` is the final one, `undefined` if none was sent before the end. `contentSent` is
 * how much content was handed to the client's connection, in bytes, framing not counted: none for HEAD, 204 and 304.
 * Must not throw.
 */
export type EndListener = (status: number | undefined, contentSent: number, reason: EndReason) => void;

/** Counts how exchans end. */
export interface ExchanCounter {
  /** Called as an EndListener is, before those. `received`: content of the request that was read, in bytes. */
  exchanEnded(status: number | undefined, contentSent: number, reason: EndReason, received: number): void;
}

/** Hears why an exchan ended early: HEMI_PEER_GONE or HEMI_TIMEOUT. Must not throw. */
export type AbortListener = (reason: ExchanError) => void;

/** How an exchan leaves HTTP. */
export interface TunnelHead {
  /** One of the `upgrades` that the request asks for; `undefined` for CONNECT. */
  readonly protocol: string | undefined;
  /** As that of a response. */
  readonly fieldList: readonly string[];
}

/** Of requests that one request of a client has made, and those in turn. */
export interface Lineage {
  /** How many requests stand above this one; 0: it is that of a client. */
  readonly depth: number;
  /** One for all of them. */
  readonly tally: { count: number };
  /** The path and query that the client has asked for, where this one is answered in its place. */
  readonly originalURI?: string | undefined;
  /** The engine's: the trace of the request that has made this one. */
  readonly trace?: object | undefined;
  /** The engine's: the request that has made this one. It has the session of the client, and can send a cookie. */
  readonly parent?: object | undefined;
}

/** Serves exchans. */
export interface ExchanServer {
  /** Whom it believes where a request comes from. Default: nobody. */
  readonly trust?: ForwardedTrust | undefined;
  serve(wire: ExchanWire): void;
}

/** The wire of one exchan. One implementation for each HTTP version, and two without a socket. */
export interface ExchanWire {
  /** What the client asks for. */
  readonly head: RequestHead;
  /** Who asks: the other end of the connection. */
  readonly peer: Peer;
  /** Of the connection with the client; `undefined` where that is not by TLS. */
  readonly tls: TlsFacts | undefined;
  /** From the first byte of the head to its last, in ms; 0 if they came together. */
  readonly headTime: number;
  /** Set by the engine once a request has made others; codecs leave it alone. */
  lineage?: Lineage;
  /** What it is the wire of, if that is no request of HTTP: a call that came by another protocol. */
  readonly standsFor?: object | undefined;

  /**
   * The next piece of content, `undefined` at its end. Rejects with HEMI_CONTENT_BROKEN, HEMI_TIMEOUT or
   * HEMI_PEER_GONE. One call at a time.
   */
  readContent(): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /**
   * For who has just been given this piece: the function to call once its bytes are no longer needed, so that other
   * content is read into them; `undefined` where its memory is of no such use. Default: it never is.
   */
  lent?(piece: Uint8Array): (() => void) | undefined;
  /** Known once `readContent` has given its end. */
  readonly trailers: Fields;

  /** A 1xx answer; ignored where the client could not understand it (HTTP/1.0). */
  sendInterim(status: number, fieldList: readonly string[]): void;
  /**
   * Head and content in one go; ends the exchan. Text is sent as UTF-8. `isLasting`: these very bytes will be sent
   * again, and never change. Default: false.
   */
  sendWhole(head: ResponseHead, content: string | Uint8Array | undefined, isLasting?: boolean): void;
  /** The head of a response whose content follows: `size` bytes of it, or `undefined` where that is not known. */
  sendHead(head: ResponseHead, size: number | undefined): void;
  /**
   * A piece of content. False: the client is slow, await `writable()` before the next one. `done` may be called once
   * when the bytes are no longer needed, by codecs that know it.
   */
  sendContent(piece: string | Uint8Array, done?: () => void): boolean;
  /** Settles when more content may be sent; rejects with HEMI_PEER_GONE or HEMI_TIMEOUT. It may be left alone. */
  writable(): Promise<void>;
  /** Sends a stretch of a file as content, with back pressure. Rejects if it could not be sent whole. */
  sendRegion(region: FileRegion): Promise<void>;
  /** The end of the content, with trailers where the version and the framing allow them. Ends the exchan. */
  endContent(trailerList: readonly string[]): void;
  /**
   * Leaves HTTP: tells the client so (101, or 200 where the version has it so), and hands out the bytes of both
   * directions from here on, paused. The exchan ends when both have ended, or when the stream is destroyed. All of its
   * limits in time are the taker's now; `drained` is called once when the server drains, soon if it does already, never
   * before this returns. Throws HEMI_USAGE where the request asks for nothing of the sort, or has been answered.
   */
  tunnel(head: TunnelHead, drained: () => void): Duplex;
  /**
   * The request is malformed, or what follows it may be none: once it is answered, nothing more is read that came by
   * the same way, if other requests could be hidden in it.
   */
  distrust(): void;
  /**
   * In ms: from now on the handlet has so long, in place of the server's `handleTimeout`; the wait that is under way
   * begins anew. `undefined`: the
   * server's again.
   */
  limitHandling(timeout: number | undefined): void;
  /**
   * In ms: from now on the client has so long between two pieces of its content, in place of the server's
   * `contentTimeout`, and no minimum rate holds: for streams of messages, whose sender may have nothing to say.
   */
  limitContent(timeout: number): void;
  /** An object that is there anyway is told once of the end, at no cost of a listener; at once if it is over. */
  countBy(counter: ExchanCounter): void;
  /** Gives the exchan up: the client sees an answer that is visibly broken off. */
  abort(): void;
  /** The answer is complete, though whoever works on it does not know: tells them by `onAbort` that it was enough. */
  dismiss(): void;
  /**
   * Calls back once when the exchan ends early, at once if it has, and says why: the client left, the handlet was too
   * late, or the exchan was aborted.
   */
  onAbort(listener: AbortListener): void;
  /**
   * Calls back once when the response is over, complete or broken off, before the next one of its connection begins; at
   * once if it is over.
   */
  onEnd(listener: EndListener): void;
}
