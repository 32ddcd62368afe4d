// Sends responses out of a cache: whole or in ranges, to GET and HEAD, 304 for what the client has.

import { parseHTTPDate } from "@hemi/common";
import { evaluatePreconditions } from "../response/preconditions.ts";
import { defaultMaxRanges } from "../response/range.ts";
import { nextIdentity, sendRepresentation, type Representation } from "../response/representation.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { memorySource, type Source } from "../response/source.ts";
import { cacheStatusMember, cacheStatusWord, type CacheStatus } from "./rules/cache-status.ts";
import { ageAt } from "./rules/reuse.ts";
import type { SharedContent } from "./shared-content.ts";
import type { Wobject, WobjectHead } from "./wobject.ts";

/** A form of a wobject that is ready to be sent, in one second with one cache status. */
interface Ready {
  readonly head: WobjectHead;
  readonly second: number;
  readonly name: string;
  readonly representation: Representation;
}

/** The content of what a fetch brings. */
export type ArrivingContent = Pick<SharedContent, "whole" | "asSource" | "read">;

/** Of one cache: names it in `cache-status`. */
export class Answers {
  /** "": no `cache-status`. */
  readonly #name: () => string;
  /** Those of hits. Head and content are the same objects for a second: codecs can send the same bytes again. */
  readonly #ready = new WeakMap<Wobject, Ready>();

  constructor(name: () => string) {
    this.#name = name;
  }

  /** Whether it would be answered 412, by conditions that are for the origin: `if-match`, `if-unmodified-since`. */
  refuses({ method, headers }: Request, { head, source }: Wobject): boolean {
    if (head.status !== 200 || !(headers.has("if-match") || headers.has("if-unmodified-since"))) return false;
    const { validators } = represent(head.fieldList, source, 0);
    return evaluatePreconditions(method, headers, validators) === 412;
  }

  /** Sends a fresh wobject. Synchronous if its content is in memory. */
  sendHit(req: Request, resp: Response, wobject: Wobject, now: number): true | Promise<true> {
    const { head } = wobject;
    const age = ageAt(head, now);
    const second = Math.floor(age / 1000);
    const name = this.#name();
    let ready = this.#ready.get(wobject);
    if (ready?.head !== head || ready.second !== second || ready.name !== name) {
      const identity = ready?.representation.identity ?? nextIdentity();
      const detail = head.lifetimeFrom === "ttl" ? "ttl" : undefined;
      const fields = this.#fieldsOf(head, age, { isHit: true, ttl: head.lifetime - age, detail });
      ready = { head, second, name, representation: represent(fields, wobject.source, identity) };
      this.#ready.set(wobject, ready);
    }
    req.cacheStatus = "hit";
    return send(req, resp, head.status, ready.representation);
  }

  /** Sends a wobject that the backend was asked about. */
  send(req: Request, resp: Response, wobject: Wobject, status: CacheStatus, now: number): true | Promise<true> {
    req.cacheStatus = cacheStatusWord(status);
    const fields = this.#fieldsOf(wobject.head, ageAt(wobject.head, now), status);
    return send(req, resp, wobject.head.status, represent(fields, wobject.source, nextIdentity()));
  }

  /** Sends what a fetch brings, as it comes. `size`: in bytes, if it is known. */
  async sendArriving(
    req: Request,
    resp: Response,
    arriving: {
      readonly status: number;
      readonly fieldList: readonly string[];
      readonly size: number | undefined;
      readonly content: ArrivingContent;
    },
    cacheStatus: CacheStatus,
  ): Promise<true> {
    const { status, fieldList, content } = arriving;
    req.cacheStatus = cacheStatusWord(cacheStatus);
    const fields = this.#withStatus(fieldList, cacheStatus);
    const { whole } = content;
    const size = whole?.length ?? arriving.size;
    if (whole !== undefined) return send(req, resp, status, represent(fields, memorySource(whole), nextIdentity()));
    if (size !== undefined) {
      return send(req, resp, status, represent(fields, content.asSource(size), nextIdentity()));
    }
    const known = represent(fields, memorySource(new Uint8Array()), nextIdentity());
    // Neither has content.
    const outcome = status === 200 ? evaluatePreconditions(req.method, req.headers, known.validators) : "proceed";
    if (outcome !== "proceed") return send(req, resp, status, known);
    resp.status = status;
    resp.setTrustedFields(fields);
    await resp.sendStream(content.read());
    return true;
  }

  /** The fields of an answer that passes by the cache get this member. */
  member(status: CacheStatus): string | undefined {
    const name = this.#name();
    return name === "" ? undefined : cacheStatusMember(name, status);
  }

  #fieldsOf({ fieldList }: WobjectHead, age: number, status: CacheStatus): readonly string[] {
    return ["age", String(Math.floor(age / 1000)), ...this.#withStatus(fieldList, status)];
  }

  #withStatus(fieldList: readonly string[], status: CacheStatus): readonly string[] {
    const member = this.member(status);
    return member === undefined ? fieldList : [...fieldList, "cache-status", member];
  }
}

function send(req: Request, resp: Response, status: number, representation: Representation): true | Promise<true> {
  if (status === 200) return sendRepresentation(req, resp, representation);
  // Conditions and ranges are about representations of the resource, which others are not.
  resp.status = status;
  resp.setTrustedFields(representation.fields);
  if (representation.vary !== undefined) resp.addHeader("vary", representation.vary);
  const { content, size } = representation.source;
  if (content !== undefined) resp.send(content.length === 0 ? undefined : content);
  else return sendOpened(resp, representation.source, size);
  return true;
}

async function sendOpened(resp: Response, source: Source, size: number): Promise<true> {
  using opened = source.open();
  resp.contentSize = size;
  await resp.sendStream(opened.read({ offset: 0, size }));
  return true;
}

function represent(all: readonly string[], source: Source, identity: number): Representation {
  const fields: string[] = [];
  const fieldsOf304: string[] = [];
  const named = new Map<string, string>();
  for (let i = 0; i + 1 < all.length; i += 2) {
    const [name = "", value = ""] = [all[i], all[i + 1]];
    named.set(name, named.has(name) ? `${named.get(name)}, ${value}` : value);
    if (name === "vary") continue;
    fields.push(name, value);
    // A 304 describes no content (RFC 9110 section 15.4.5).
    if (!name.startsWith("content-") || name === "content-location") fieldsOf304.push(name, value);
  }
  return {
    identity,
    source,
    size: source.size,
    type: named.get("content-type") ?? "application/octet-stream",
    coding: named.get("content-encoding"),
    validators: {
      etag: named.get("etag"),
      lastModified: parseHTTPDate(named.get("last-modified") ?? ""),
      date: parseHTTPDate(named.get("date") ?? ""),
    },
    fields,
    fieldsOf304,
    vary: named.get("vary"),
    maxRanges: named.get("accept-ranges") === "none" ? 0 : defaultMaxRanges,
  };
}
