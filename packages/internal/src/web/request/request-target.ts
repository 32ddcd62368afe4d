// What a request asks for: method, scheme, authority, path and query, as the client sent them or as a handlet has
// rewritten them.

import { HemiError } from "../../errors/hemi-error.ts";
import type { Authority } from "../../http/authority.ts";
import type { ExchanServer, ExchanWire, HttpVersion } from "../../http/exchan.ts";
import { forwardedClient, type ForwardedClient } from "../../http/forwarded-source.ts";
import type { Endpoint, Peer } from "../../net/peer.ts";
import { HTTPError } from "../http-error.ts";
import { normalizePath, type NormalPath } from "./path.ts";
import { Queries } from "./queries.ts";

/** What is known of a target so far. It stands beside `RequestTarget` for the reason that `HeadDraft` gives. */
export class TargetState {
  readonly wire: ExchanWire;
  readonly authority: Authority | undefined;
  readonly server: ExchanServer | undefined;
  path: NormalPath | undefined;
  target: string | undefined;
  originalURI: string | undefined;
  startsAnew = false;
  newStarts = 0;
  queries: Queries | undefined;
  forwarded: ForwardedClient | undefined;

  /** `path` is given if the received path is not plain. `authority` is `undefined` for HTTP/1.0 without a host. */
  constructor(
    wire: ExchanWire,
    authority: Authority | undefined,
    path: NormalPath | undefined,
    server: ExchanServer | undefined,
  ) {
    this.wire = wire;
    this.server = server;
    this.authority = authority;
    this.path = path;
  }

  /** As received, or as it was rewritten. */
  get full(): string {
    return (this.target ??= this.wire.head.target);
  }
}

/** The target of a request, and who sent it. */
export abstract class RequestTarget {
  protected abstract readonly asked: TargetState;

  /** The HTTP version of the client. */
  get version(): HttpVersion {
    return this.asked.wire.head.version;
  }

  /** With the received case, such as `GET`. */
  get method(): string {
    return this.asked.wire.head.method;
  }

  /**
   * How the client came. If the request comes from a proxy in `trustForwarded`, this is what that proxy says in
   * `x-forwarded-proto` or `forwarded` (see `forwardedField`), else in its target. Otherwise: `https` with TLS. What
   * other peers say is ignored.
   */
  get scheme(): "http" | "https" {
    const { head } = this.asked.wire;
    const forwarded = this.forwarded();
    if (forwarded?.hasTrustedSender !== true) return head.scheme;
    return forwarded.scheme ?? (head.targetScheme === "https" ? "https" : head.scheme);
  }

  /** Whether it comes from a proxy in `trustForwarded` of the server. */
  get hasTrustedSender(): boolean {
    return this.forwarded()?.hasTrustedSender === true;
  }

  /** What is told of the client; `undefined` if the server trusts nobody. */
  protected forwarded(): ForwardedClient | undefined {
    const { asked } = this;
    const trust = asked.server?.trust;
    if (trust === undefined || trust.trustForwarded.texts.length === 0) return undefined;
    return (asked.forwarded ??= forwardedClient(this.sender, asked.wire.head.fields, trust));
  }

  /**
   * The scheme in the target, as in `GET https://shop.example/`: the protocol that a proxy uses to the server. Without
   * one: `scheme`.
   */
  get targetScheme(): "http" | "https" {
    return this.asked.wire.head.targetScheme ?? this.scheme;
  }

  /** Whether the target is in absolute form: `GET http://shop.example/`. In HTTP/2 all are. */
  get isForProxy(): boolean {
    const { version, isForProxy } = this.asked.wire.head;
    return isForProxy ?? (version === "2" || version === "3");
  }

  /** `shop.example:8080`, with the hostname in lower case; "" for HTTP/1.0 without a host. */
  get authority(): string {
    return this.asked.authority?.text ?? "";
  }

  /** In lower case, without port and without a trailing dot; an IPv6 address in brackets. */
  get hostname(): string {
    return this.asked.authority?.hostname ?? "";
  }

  /** `:8080`, or "" without a port. */
  get colonPort(): string {
    return this.asked.authority?.colonPort ?? "";
  }

  /** The path as received, without dot segments, percent-encoded: the form to forward. `*` for `OPTIONS *`. */
  get encodedPath(): string {
    return (this.asked.path ??= plainPathOf(this.asked.full)).encodedPath;
  }

  /**
   * The decoded path: what conditions match. Octets that are not UTF-8 are U+FFFD. An encoded slash is a slash, so
   * segments are in `encodedPath`.
   */
  get path(): string {
    return (this.asked.path ??= plainPathOf(this.asked.full)).path;
  }

  /** The query with its `?`; "" without a query. */
  get queryString(): string {
    const target = this.asked.full;
    const mark = target.indexOf("?");
    return mark < 0 ? "" : target.substring(mark);
  }

  /** Encoded path and query. */
  get uri(): string {
    return this.asked.path === undefined ? this.asked.full : this.asked.path.encodedPath + this.queryString;
  }

  /** `uri` as the client sent it, before any `rewrite`; for an error page, that of the error. Logs contain this one. */
  get originalURI(): string {
    return this.asked.wire.lineage?.originalURI ?? this.asked.originalURI ?? this.uri;
  }

  /**
   * Changes path and query for the following handlets and rules: return `false` after it. With `startAnew`, the
   * remaining handlets of this rule are skipped, and the first rule of the webapp is next. Hooked revisers stay hooked,
   * once.
   *
   * `target` is a path with an optional query, percent-encoded as a client would send it. Throws HEMI_USAGE for an
   * invalid path and for characters that no URI may contain. Throws HTTPError: 400 for a path that would be refused
   * from a client (above the root, invalid encoding), because the client's input causes it; 414 for more than 64 KiB;
   * 500 for the eleventh new start.
   */
  rewrite(target: string, { startAnew = false }: { readonly startAnew?: boolean } = {}): void {
    if (!/^\/[!"$-~]*$/.test(target)) {
      throw new HemiError("HEMI_USAGE", `a request is rewritten to an encoded path, not to ${JSON.stringify(target)}`);
    }
    if (target.length > maxRewrittenSize) throw new HTTPError(414, `rewritten to more than ${maxRewrittenSize} bytes`);
    if (startAnew && ++this.asked.newStarts > maxNewStarts) {
      const circle =
        `the rules started anew ${maxNewStarts} times, and would once more with ${target}: ` +
        "they rewrite in a circle";
      throw new HTTPError(500, circle);
    }
    const mark = target.indexOf("?");
    const path = normalizePath(mark < 0 ? target : target.substring(0, mark));
    if (typeof path === "string") throw new HTTPError(400, `rewritten to ${target}, a path that is refused: ${path}`);
    this.asked.originalURI ??= this.uri;
    this.asked.path = path;
    this.asked.target = target;
    this.asked.queries = undefined;
    this.asked.startsAnew = startAnew;
  }

  /** For the engine: whether the first rule is next. */
  get startsAnew(): boolean {
    return this.asked.startsAnew;
  }

  /** For the engine: the same, and resets it. */
  takeNewStart(): boolean {
    const startsAnew = this.asked.startsAnew;
    this.asked.startsAnew = false;
    return startsAnew;
  }

  /** All parameters of the query. */
  get queries(): Queries {
    return (this.asked.queries ??= new Queries(this.queryString));
  }

  /** The first value of a query parameter, decoded. */
  query(name: string): string | undefined {
    return this.queries.get(name);
  }

  /** The other end of the connection: the client or a proxy. */
  get peer(): Peer {
    return this.asked.wire.peer;
  }

  /** The sender of the HTTP request: the peer, or the client that it names with the PROXY protocol. */
  get sender(): Endpoint {
    const { peer } = this.asked.wire;
    return peer.source ?? peer;
  }

  /** Takes over what `other` asks for, with all that was rewritten. */
  protected takeTargetOf(other: RequestTarget): void {
    this.asked.path = other.asked.path;
    this.asked.target = other.asked.target;
    this.asked.originalURI = other.asked.originalURI;
  }
}

/** As in nginx. Not a prop: more restarts indicate a loop. */
const maxNewStarts = 10;

/** In bytes: the maximum that `maxTargetSize` allows for clients. */
const maxRewrittenSize = 64 * 1024;

/** For a target with a plain path. */
function plainPathOf(target: string): NormalPath {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.substring(0, mark);
  return { encodedPath: path, path };
}
