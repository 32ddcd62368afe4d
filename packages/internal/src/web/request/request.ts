// A request, as handlets see it. All parts are parsed on demand, and independent of the HTTP version.

import { guarded, guardSignal } from "@hemi/common";
import type { Child } from "../../component/context.ts";
import type { Endpoint } from "../../net/peer.ts";
import type { TlsFacts } from "../../net/tls/tls-facts.ts";
import type { Authority } from "../../http/authority.ts";
import { Content, noContentTerms } from "../content/content.ts";
import { defaultMaxContentSize } from "../content/content-limits.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import type { ExchanServer, ExchanWire } from "../../http/exchan.ts";
import type { Fields } from "../../http/fields.ts";
import { faultOf, isPeerGone } from "../dispatch/fault.ts";
import { Locals } from "./locals.ts";
import type { NormalPath } from "./path.ts";
import { RequestHeaders } from "./request-headers.ts";
import { nextRequestNumber, requestIdOf } from "./request-id.ts";
import { TargetState } from "./request-target.ts";
import type { Session } from "../session/session.ts";
import type { Sessions, SessionResponse } from "../session/sessions.ts";
import { sendSubrequest, type SubrequestOptions, type Subresponse } from "../wires/subrequest.ts";

/** The server of a request. */
export interface RequestServer extends ExchanServer {
  /** Reports an error of a callback that was registered on the request. */
  noteFault(error: unknown, req: Request): void;
}

/** A part of what a condition has matched. */
export interface MatchedText {
  readonly text: string;
  /** As a URI has it, percent-encoded. */
  readonly isEncoded: boolean;
}

/** What a client asks for: method, path, fields, content, and who it is. */
export class Request extends RequestHeaders {
  /** For the engine: the current handlet. */
  handlet: Child | undefined;
  /** For the engine: the handlets of the current rule, in order. */
  handlets: readonly Child[] | undefined;
  /** For the engine: the terms of the current rule. */
  contentTerms = noContentTerms;
  /**
   * For the engine: of its content, in bytes, where `maxContentSize` is not set; as the handlet has it that has the
   * request just now.
   */
  defaultMaxContentSize = defaultMaxContentSize;
  /** For `RequestTarget`. */
  protected readonly asked: TargetState;
  readonly #server: RequestServer | undefined;
  readonly #authority: Authority | undefined;
  #content: Content | undefined;
  #locals: Locals | undefined;
  #matches: Map<string, MatchedText> | undefined;
  /** -1: it has none yet. */
  #idNumber = -1;
  /** For the engine: what a cache did, in one word; "" without a cache. */
  cacheStatus = "";
  #abort: AbortController | undefined;
  #leaving: AbortController | undefined;
  #isLeaving = false;
  #sessions: Sessions | undefined;
  /** Gets the cookie of the session. */
  #sessionResponse: SessionResponse | undefined;
  #session: Session | undefined;
  /** A test of media types: see `demandPlainContent`. */
  #mustBePlain: ((type: string) => boolean) | undefined;

  /**
   * For servers. `path` is given if the received path is not plain. `authority` is `undefined` for HTTP/1.0 without a
   * host. `server` handles subrequests.
   */
  constructor(
    wire: ExchanWire,
    authority: Authority | undefined,
    path: NormalPath | undefined,
    server?: RequestServer,
  ) {
    super(wire);
    this.asked = new TargetState(wire, authority, path, server);
    this.#server = server;
    this.#authority = authority;
  }

  /** What the group of this name matched in a condition: the last one that has it and holds. */
  matched(group: string): MatchedText | undefined {
    return this.#matches?.get(group);
  }

  /** For conditions: the named groups of an expression that has matched. `areEncoded`: its text is percent-encoded. */
  noteMatch(groups: Readonly<Record<string, string | undefined>>, areEncoded: boolean): void {
    this.#matches ??= new Map();
    for (const [name, text = ""] of Object.entries(groups)) this.#matches.set(name, { text, isEncoded: areEncoded });
  }

  /** The result of the client's TLS handshake; `undefined` without TLS. */
  get tls(): TlsFacts | undefined {
    return this.wire.tls;
  }

  /**
   * The client's address, possibly named by trusted proxies: see `proxyProtocol` and `trustForwarded` of httpxServer.
   * "" over a UNIX socket, `unknown` if a trusted proxy names no address.
   */
  get srcHost(): string {
    return this.#source().address;
  }

  /** The client's port; 0 over a UNIX socket, and if the proxies do not name it. */
  get srcPort(): number {
    return this.#source().port;
  }

  #source(): Endpoint {
    return this.forwarded()?.source ?? this.sender;
  }

  /** From the first byte of the head to its last, in milliseconds; 0 if they arrived together. */
  get headTime(): number {
    return this.wire.headTime;
  }

  /** Whether the request has content, with or without an announced size. */
  get hasContent(): boolean {
    return this.wire.head.contentSize !== 0;
  }

  /**
   * The protocols that the client wants to upgrade to, in lower case and in its order of preference: `websocket`. An
   * upgrade may always be ignored.
   */
  get upgrades(): readonly string[] {
    return this.wire.head.upgrades;
  }

  /** The content, which can be read once: as bytes, text, JSON, a form or a stream. */
  get content(): Content {
    return (this.#content ??= new Content(this.wire, this));
  }

  /** The trailer fields; complete after the content has been read to its end. */
  get trailers(): Fields {
    return this.wire.trailers;
  }

  /** A unique id for logs, created at its first use. */
  get id(): string {
    return requestIdOf(this.idNumber);
  }

  /** For the engine: what its id is made of. */
  get idNumber(): number {
    if (this.#idNumber < 0) this.#idNumber = nextRequestNumber();
    return this.#idNumber;
  }

  /** Values that handlets store for later handlets. */
  get locals(): Locals {
    return (this.#locals ??= new Locals());
  }

  /**
   * Aborts when the client leaves before the answer is complete (its reason has the code HEMI_PEER_GONE), and when the
   * handlet is too late for it (HEMI_TIMEOUT). Who is stopped by it may let the reason pass: it is no fault in the log.
   * What its listeners throw is in the log, and nowhere else. Asking for it has a price beyond the object: a client
   * that shuts its side of the connection, and would still read the answer, then counts as gone.
   */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = (this.#abort = new AbortController());
      const { handlet } = this;
      guardSignal(abort.signal, (error) => this.noteFault(error, handlet));
      this.wire.onAbort((reason) => abort.abort(reason));
    }
    return this.#abort.signal;
  }

  /**
   * Aborts when the answer should come to its end, because what serves the request goes: a reload has dropped it, or
   * the server drains. Answers that would last for long end then, and their clients come back to what has taken its
   * place. `text/event-stream` is ended by the engine.
   */
  get leaving(): AbortSignal {
    if (this.#leaving === undefined) {
      const leaving = (this.#leaving = new AbortController());
      const { handlet } = this;
      guardSignal(leaving.signal, (error) => this.noteFault(error, handlet));
      if (this.#isLeaving) leaving.abort();
    }
    return this.#leaving.signal;
  }

  /** For the engine: what serves it goes. */
  leave(): void {
    this.#isLeaving = true;
    this.#leaving?.abort();
  }

  /**
   * Calls back once when the client disconnects before the response is complete: like `signal`, including half-closed
   * clients, but without the cost of a signal. Errors of the listener are only logged.
   */
  onAbort(listener: () => void): void {
    const { handlet } = this;
    this.wire.onAbort(() => guarded(listener, (error) => this.noteFault(error, handlet)));
  }

  /** For the engine: the same for a listener that never throws. */
  onGone(listener: () => void): void {
    this.wire.onAbort(listener);
  }

  /** For the engine: logs an error of a callback that has no other caller. `handlet`: its owner. */
  noteFault(error: unknown, handlet = this.handlet): void {
    if (!isPeerGone(error)) this.#server?.noteFault(faultOf(handlet, error), this);
  }

  /** For the engine: what it is made of, if no HTTP request has come: a call by another protocol. */
  get standsFor(): object | undefined {
    return this.wire.standsFor;
  }

  /** The number of requests above this one, each of which made the next; 0 for a client's request. */
  get depth(): number {
    return this.wire.lineage?.depth ?? 0;
  }

  /**
   * Requests another URI from the same webapp on behalf of this client: with GET, and the fields of this request except
   * those about content, conditions, ranges and codings. `target` is a path with a query, absolute or relative to the
   * path of this request. Rules, revisers and handlets treat it like any request, with a `depth`; access logs do not
   * contain it. It ends at the latest when this request ends. Rejects with HEMI_USAGE for an invalid path and for too
   * many subrequests, and with HEMI_PEER_GONE if the response is aborted before its head.
   */
  async subrequest(target: string, options?: SubrequestOptions): Promise<Subresponse> {
    if (this.#server === undefined)
      throw new HemiError("HEMI_USAGE", "this request has no server to make subrequests to");
    return sendSubrequest(this.wire, this, this.#server, target, options);
  }

  /**
   * The session of the client. Nothing is read before it is asked for, and the client gets no cookie before something
   * is stored. A subrequest has that of the request that has made it. Throws HEMI_USAGE if the webapp has no
   * `.withStater`.
   */
  get session(): Session {
    if (this.#session !== undefined) return this.#session;
    const parent = this.wire.lineage?.parent;
    if (parent instanceof Request) return (this.#session = parent.session);
    if (this.#sessions === undefined || this.#sessionResponse === undefined) {
      throw new HemiError("HEMI_USAGE", "there are no sessions here: name a stater by .withStater of the webapp");
    }
    return (this.#session = this.#sessions.of(this, this.#sessionResponse));
  }

  /** Whether there are sessions here: otherwise `session` throws. */
  get hasSessions(): boolean {
    if (this.#sessions !== undefined) return true;
    const parent = this.wire.lineage?.parent;
    return parent instanceof Request && parent.hasSessions;
  }

  /** For the engine: the sessions of its webapp, and the response that gets the cookie. */
  bindSession(sessions: Sessions, resp: SessionResponse): void {
    this.#sessions = sessions;
    this.#sessionResponse = resp;
  }

  /** For the engine: another response gets the cookie. */
  rebindSession(resp: SessionResponse): void {
    this.#sessionResponse = resp;
  }

  /** For the engine: the same request on another wire, whose fields and content it has. It shares its `locals`. */
  onWire(wire: ExchanWire): Request {
    const req = new Request(wire, this.#authority, undefined, this.#server);
    req.takeTargetOf(this);
    req.#locals = this.locals;
    req.#matches = this.#matches;
    req.#mustBePlain = this.#mustBePlain;
    req.#sessions = this.#sessions;
    req.joinTraceOf(this);
    return req;
  }

  /** For revisers, in `reviseRequest`: declares that they will transform responses with these media types. */
  demandPlainContent(isOf: (type: string) => boolean): void {
    const others = this.#mustBePlain;
    this.#mustBePlain = others === undefined ? isOf : (type) => others(type) || isOf(type);
  }

  /**
   * Whether the content must be sent complete and not encoded, because a reviser will transform it. Handlets then
   * ignore `Range` and `Accept-Encoding`, and proxies do not forward them. `type` is the media type, `undefined` if it
   * is not known yet.
   */
  mustBePlain(type: string | undefined): boolean {
    return this.#mustBePlain !== undefined && (type === undefined || this.#mustBePlain(type));
  }

  /** Whether content was requested: the request can then no longer be left to another handlet. */
  get isContentRead(): boolean {
    return this.#content?.isRead === true;
  }
}
