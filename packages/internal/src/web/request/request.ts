// A request, as handlets see it. Everything is read lazily; nothing in it tells the HTTP version's ways.

import { guarded, guardSignal } from "@hemi/common";
import type { Child } from "../../component/context.ts";
import type { Endpoint, Peer } from "../../net/peer.ts";
import type { TlsFacts } from "../../net/tls/tls-facts.ts";
import type { Authority } from "../../http/authority.ts";
import { Content, noContentTerms } from "../content/content.ts";
import { defaultMaxContentSize } from "../content/content-limits.ts";
import { parseCookies, type Cookies } from "./cookies.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import type { ExchanServer, ExchanWire, HttpVersion } from "../../http/exchan.ts";
import { checkFieldName, checkFieldValue } from "../../http/field-list.ts";
import { ListedFields, type Fields } from "../../http/fields.ts";
import { forwardedSource } from "../../http/forwarded-source.ts";
import { HTTPError } from "../http-error.ts";
import { faultAt, isPeerGone } from "../dispatch/fault.ts";
import { Locals } from "./locals.ts";
import { normalizePath, type NormalPath } from "./path.ts";
import { Queries } from "./queries.ts";
import { nextRequestId } from "./request-id.ts";
import { sendSubrequest, type SubrequestOptions, type Subresponse } from "../wires/subrequest.ts";

/** Who a request has come to. */
export interface RequestServer extends ExchanServer {
  /** Is told what a callback that was left with the request has thrown. */
  noteFault(error: unknown, req: Request): void;
}

/** A part of what a condition has matched. */
export interface MatchedText {
  readonly text: string;
  /** As a URI has it, percent-encoded. */
  readonly isEncoded: boolean;
}

/** What a client asks for: method, path, fields, content, and who it is. */
export class Request {
  /** For the engine: the handlet that has it just now. */
  handlet: Child | undefined;
  /** For the engine: those that may have it in its rule, in order. */
  handlets: readonly Child[] | undefined;
  /** For the engine: those of the rule that has it just now. */
  contentTerms = noContentTerms;
  /** For the engine: of its content, in bytes, where `maxContentSize` is not set; as the handlet has it that has the request just now. */
  defaultMaxContentSize = defaultMaxContentSize;
  readonly #wire: ExchanWire;
  readonly #authority: Authority | undefined;
  readonly #server: RequestServer | undefined;
  #path: NormalPath | undefined;
  #target: string | undefined;
  #originalURI: string | undefined;
  #startsAnew = false;
  #newStarts = 0;
  #queries: Queries | undefined;
  #cookies: Cookies | undefined;
  #content: Content | undefined;
  #locals: Locals | undefined;
  #matches: Map<string, MatchedText> | undefined;
  #id: string | undefined;
  #headers: Fields | undefined;
  #forwardedSource: Endpoint | undefined;
  #abort: AbortController | undefined;
  /** Of media types: see `demandPlainContent`. */
  #mustBePlain: ((type: string) => boolean) | undefined;

  /**
   * For servers. `path` is given where the received path is not plain; `authority` is `undefined` for HTTP/1.0 without a host. `server` is whom
   * subrequests are handed to.
   */
  constructor(
    wire: ExchanWire,
    authority: Authority | undefined,
    path: NormalPath | undefined,
    server?: RequestServer,
  ) {
    this.#wire = wire;
    this.#server = server;
    this.#authority = authority;
    this.#path = path;
  }

  /** The HTTP version that the client speaks. */
  get version(): HttpVersion {
    return this.#wire.head.version;
  }

  /** In the case received, such as `GET`. */
  get method(): string {
    return this.#wire.head.method;
  }

  /** `https` where the client came by TLS, or where one of `trustForwarded` says so in its target; others may say there what they like. */
  get scheme(): "http" | "https" {
    const { scheme, targetScheme } = this.#wire.head;
    if (scheme === "https" || targetScheme !== "https") return scheme;
    return this.#server?.trust?.trustForwarded.contains(this.sender.address) === true ? "https" : "http";
  }

  /** What the target says, as in `GET https://shop.example/`: how a proxy is to ask. `scheme` where it says nothing. */
  get targetScheme(): "http" | "https" {
    return this.#wire.head.targetScheme ?? this.scheme;
  }

  /** Whether it is written as one to a proxy is: `GET http://shop.example/`. In HTTP/2 all are. */
  get isForProxy(): boolean {
    const { version, isForProxy } = this.#wire.head;
    return isForProxy ?? (version === "2" || version === "3");
  }

  /** `shop.example:8080`, the hostname in lower case; "" for HTTP/1.0 without a host. */
  get authority(): string {
    return this.#authority?.text ?? "";
  }

  /** In lower case, without port and without a trailing dot; an IPv6 address in brackets. */
  get hostname(): string {
    return this.#authority?.hostname ?? "";
  }

  /** `:8080`, or "" where none was given. */
  get colonPort(): string {
    return this.#authority?.colonPort ?? "";
  }

  /** The path as received, without dot segments, percent-encoding kept: what is forwarded. `*` for `OPTIONS *`. */
  get encodedPath(): string {
    return (this.#path ??= plainPathOf(this.#fullTarget)).encodedPath;
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

  /** The decoded path: what conditions match. Octets that are not UTF-8 are U+FFFD. An encoded slash is a slash, so segments are in `encodedPath`. */
  get path(): string {
    return (this.#path ??= plainPathOf(this.#fullTarget)).path;
  }

  /** With its `?`; "" without a query. */
  get queryString(): string {
    const target = this.#fullTarget;
    const mark = target.indexOf("?");
    return mark < 0 ? "" : target.substring(mark);
  }

  /** Encoded path and query. */
  get uri(): string {
    return this.#path === undefined ? this.#fullTarget : this.#path.encodedPath + this.queryString;
  }

  /** `uri` as the client asked for it, whatever `rewrite` has made of it. This is what logs tell. */
  get originalURI(): string {
    return this.#originalURI ?? this.uri;
  }

  /**
   * Gives the request another path and query, for the handlets and rules that come next: return `false` after it. With `startAnew`
   * the handlets left in this rule are passed over, and the first rule of the webapp is next; revisers that were hooked stay hooked, once.
   *
   * `target` is a path, with or without a query, as a client would write it: encoded. What is none, or holds what no URI may hold, is
   * the caller's mistake: HEMI_USAGE. Throws HTTPError: 400 for a path that would be refused of a client, too (above the root, broken
   * encoding), since it is what the client sent that makes it so; 414 for more than 64 KiB; 500 for the eleventh new start.
   */
  rewrite(target: string, { startAnew = false }: { readonly startAnew?: boolean } = {}): void {
    if (!/^\/[!"$-~]*$/.test(target)) {
      throw new HemiError("HEMI_USAGE", `a request is rewritten to an encoded path, not to ${JSON.stringify(target)}`);
    }
    if (target.length > maxRewrittenSize) throw new HTTPError(414, `rewritten to more than ${maxRewrittenSize} bytes`);
    if (startAnew && ++this.#newStarts > maxNewStarts) {
      const circle = `the rules started anew ${maxNewStarts} times, and would once more with ${target}: they rewrite in a circle`;
      throw new HTTPError(500, circle);
    }
    const mark = target.indexOf("?");
    const path = normalizePath(mark < 0 ? target : target.substring(0, mark));
    if (typeof path === "string") throw new HTTPError(400, `rewritten to ${target}, a path that is refused: ${path}`);
    this.#originalURI ??= this.uri;
    this.#path = path;
    this.#target = target;
    this.#queries = undefined;
    this.#startsAnew = startAnew;
  }

  /** For the engine: the rules are to be tried from the first on. */
  get startsAnew(): boolean {
    return this.#startsAnew;
  }

  /** For the engine: the same, once. */
  takeNewStart(): boolean {
    const startsAnew = this.#startsAnew;
    this.#startsAnew = false;
    return startsAnew;
  }

  /** The other end of the connection: a client, or what stands before us. */
  get peer(): Peer {
    return this.#wire.peer;
  }

  /** Who speaks HTTP with us: the peer, or the one whose connection it passes on by the PROXY protocol. */
  get sender(): Endpoint {
    const { peer } = this.#wire;
    return peer.source ?? peer;
  }

  /** What the handshake of the client's connection has established; `undefined` where that is not by TLS. */
  get tls(): TlsFacts | undefined {
    return this.#wire.tls;
  }

  /** The client's address, as far as those may say it who stand before us: see `proxyProtocol` and `trustForwarded` of httpxServer. "" over a UNIX socket, `unknown` where they name no address. */
  get srcHost(): string {
    return this.#source.address;
  }

  /** The client's port; 0 over a UNIX socket, and where the proxies before us do not say it. */
  get srcPort(): number {
    return this.#source.port;
  }

  get #source(): Endpoint {
    const trust = this.#server?.trust;
    if (trust === undefined || trust.trustForwarded.texts.length === 0) return this.sender;
    return (this.#forwardedSource ??= forwardedSource(this.sender, this.#wire.head.fields, trust));
  }

  /** From the first byte of the head to its last, in ms; 0 if they came together. */
  get headTime(): number {
    return this.#wire.headTime;
  }

  /** For the engine: two requests of a connection that have the same number have the same head. `undefined`: nobody knows. */
  get headNumber(): number | undefined {
    return this.#headers === undefined ? this.#wire.head.number : undefined;
  }

  /** All fields of the head. */
  get headers(): Fields {
    return this.#headers ?? this.#wire.head.fields;
  }

  /**
   * Gives the request a field of other values than the client's, for the handlets that come next; without values it has none. What the client's field
   * `connection` names goes with that: it could name this one, and whoever passes the request on would drop it. Throws HEMI_BAD_FIELD.
   */
  replaceHeader(name: string, values: readonly string[]): void {
    const replaced = checkFieldName(name);
    const left = new Set([replaced, "connection", ...(this.header("connection") ?? "").toLowerCase().split(/[\t ,]+/)]);
    const list = listWithout(this.headers, left);
    for (const value of values) list.push(replaced, checkFieldValue(replaced, value));
    this.#headers = new ListedFields(list, this.headers.neverIndexed);
  }

  /** The value of a field; of repeated ones all, joined by `, `. */
  header(name: string): string | undefined {
    return this.headers.get(name);
  }

  /** For its content. */
  recoded(coding: string): void {
    const list = listWithout(this.headers, new Set(["content-encoding", "content-length"]));
    if (coding !== "") list.push("content-encoding", coding);
    this.#headers = new ListedFields(list, this.headers.neverIndexed);
  }

  /** All parameters of the query. */
  get queries(): Queries {
    return (this.#queries ??= new Queries(this.queryString));
  }

  /** The first value of a query parameter, decoded. */
  query(name: string): string | undefined {
    return this.queries.get(name);
  }

  /** All cookies, by name. */
  get cookies(): Cookies {
    return (this.#cookies ??= parseCookies(this.header("cookie") ?? ""));
  }

  /** The value of a cookie, decoded; `undefined` if the client sent none of this name. */
  cookie(name: string): string | undefined {
    return this.cookies[name];
  }

  /** False where the sender said so; sized and unsized content both count. */
  get hasContent(): boolean {
    return this.#wire.head.contentSize !== 0;
  }

  /** The protocols that the client would rather speak, in lower case, its favourite first: `websocket`. Leaving them alone is right where nobody here does. */
  get upgrades(): readonly string[] {
    return this.#wire.head.upgrades;
  }

  /** The content, which is read once: as bytes, text, JSON, a form or a stream. */
  get content(): Content {
    return (this.#content ??= new Content(this.#wire, this));
  }

  /** The fields behind chunked content; complete once the content has been read to its end. */
  get trailers(): Fields {
    return this.#wire.trailers;
  }

  /** Unlike that of any other request of any process, for logs. Made when first asked for. */
  get id(): string {
    return (this.#id ??= nextRequestId());
  }

  /** What handlets hand on to those after them. */
  get locals(): Locals {
    return (this.#locals ??= new Locals());
  }

  /**
   * Aborts when the client leaves before the answer is complete (its reason has the code HEMI_PEER_GONE), and when the handlet is too
   * late for it (HEMI_TIMEOUT). Who is stopped by it may let the reason pass: it is no fault in the log. What its listeners throw is in the log, and
   * nowhere else. Asking for it has a price beyond the object: a client that shuts its side of the connection, and would still read the answer,
   * then counts as gone.
   */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = (this.#abort = new AbortController());
      const { handlet } = this;
      guardSignal(abort.signal, (error) => this.noteFault(error, handlet));
      this.#wire.onAbort((reason) => abort.abort(reason));
    }
    return this.#abort.signal;
  }

  /**
   * Calls back once when the client leaves before the answer is complete: what `signal` tells, half-closed clients included, without the cost of one. What
   * the listener throws is in the log, and nowhere else.
   */
  onAbort(listener: () => void): void {
    const { handlet } = this;
    this.#wire.onAbort(() => guarded(listener, (error) => this.noteFault(error, handlet)));
  }

  /** For the engine: what a callback has thrown that nobody else hears of. `handlet`: whose it was. */
  noteFault(error: unknown, handlet = this.handlet): void {
    if (!isPeerGone(error)) this.#server?.noteFault(handlet === undefined ? error : faultAt(handlet.path, error), this);
  }

  /** How many requests stand above this one, each made by the one above; 0: it is that of a client. */
  get depth(): number {
    return this.#wire.lineage?.depth ?? 0;
  }

  /**
   * Asks the same webapp for another URI, as this client: by GET, with the fields of this request but for those of its content, conditions, ranges
   * and codings. `target` is a path with its query, absolute or relative to the path of this request. Rules, revisers and handlets see it as any
   * request, with a `depth`; access logs do not. It is over at the latest when this request is. Rejects with HEMI_USAGE for what is no path of
   * the webapp and for one too many, with HEMI_PEER_GONE when the answer is broken off before its head.
   */
  async subrequest(target: string, options?: SubrequestOptions): Promise<Subresponse> {
    if (this.#server === undefined)
      throw new HemiError("HEMI_USAGE", "this request has no server to make subrequests to");
    return sendSubrequest(this.#wire, this.encodedPath, this.#server, target, options);
  }

  /** For revisers, in `reviseRequest`: they are going to change what is answered with content of these media types. */
  demandPlainContent(isOf: (type: string) => boolean): void {
    const others = this.#mustBePlain;
    this.#mustBePlain = others === undefined ? isOf : (type) => others(type) || isOf(type);
  }

  /**
   * Is the content to be sent whole and not coded, because a reviser is going to change it? Whoever has it then follows neither `Range` nor
   * `Accept-Encoding`, and whoever asks another server for it leaves them out. `type` is its media type, `undefined` where it is not known yet.
   */
  mustBePlain(type: string | undefined): boolean {
    return this.#mustBePlain !== undefined && (type === undefined || this.#mustBePlain(type));
  }

  /** Content was asked for: the request can no longer be left to another handlet. */
  get isContentRead(): boolean {
    return this.#content?.isRead === true;
  }

  get #fullTarget(): string {
    return (this.#target ??= this.#wire.head.target);
  }
}

/** As nginx has it. No prop: who needs more has a circle. */
const maxNewStarts = 10;

/** In bytes: the most that `maxTargetSize` allows clients. */
const maxRewrittenSize = 64 * 1024;

/** Of a target whose path is plain. */
function plainPathOf(target: string): NormalPath {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.substring(0, mark);
  return { encodedPath: path, path };
}

/** Names and values in turn. */
function listWithout(fields: Fields, names: ReadonlySet<string>): string[] {
  const list: string[] = [];
  for (const [name, value] of fields) if (!names.has(name)) list.push(name, value);
  return list;
}
