// The head of a response while it can be changed: status, fields, and what is known of the content. A codec reads it
// when it is sent; the trailer fields follow the content.

import { HemiError } from "../../errors/hemi-error.ts";
import type { ResponseHead } from "../../http/exchan.ts";
import { checkFieldValue, FieldList } from "../../http/field-list.ts";
import { serializeCookie, type CookieOptions } from "../request/cookies.ts";

/** Content that is the same each time, such as a file, so that transformed content can be cached. */
export interface KnownContent {
  /** Unique for this content in this process. */
  readonly identity: number;
  /** In bytes. */
  readonly size: number;
  /** The media type, with its parameters. */
  readonly type: string;
  /** Its content-encoding, which a 304 does not contain; `undefined`: none. */
  readonly coding: string | undefined;
}

/**
 * What was set so far. It stands beside `EditableHead` because of a limit of V8, which costs a small request 1 %: a
 * base class with fields of its own is constructed by a slow call (`FindNonDefaultConstructorOrConstruct`).
 */
export class HeadDraft {
  readonly fields = new FieldList();
  neverIndexed: ReadonlySet<string> | undefined;
  status = 200;
  reason: string | undefined;
  upgrade: string | undefined;
  /** In bytes. */
  contentSize: number | undefined;
  knownContent: KnownContent | undefined;
  trailers: FieldList | undefined;
}

/** What handlets and revisers set before the head is sent. */
export abstract class EditableHead implements ResponseHead {
  protected abstract readonly draft: HeadDraft;

  /** For the engine. Throws HEMI_HEAD_SENT if the head was sent. */
  abstract assertOpen(): void;

  /**
   * 200 to 999, although codes above 599 have no meaning (RFC 9110 15): codes that apps and nodes use among themselves
   * are passed on. Default: 200. For 1xx, use `interim`.
   */
  get status(): number {
    return this.draft.status;
  }

  set status(status: number) {
    this.assertOpen();
    if (!Number.isInteger(status) || status < 200 || status > 999) {
      throw new HemiError("HEMI_USAGE", `the status of a response is a whole number from 200 to 999, not ${status}`);
    }
    this.draft.status = status;
    this.draft.reason = undefined;
  }

  /**
   * The reason phrase, if it differs from that of the status. Setting `status` resets it. Only HTTP/1 sends it, and
   * clients should ignore it (RFC 9112 4). Throws HEMI_HEAD_SENT, or HEMI_BAD_FIELD for characters that a field value
   * may not contain.
   */
  get reason(): string | undefined {
    return this.draft.reason;
  }

  set reason(reason: string | undefined) {
    this.assertOpen();
    this.draft.reason = reason === undefined ? undefined : checkFieldValue("reason phrase", reason);
  }

  /**
   * The protocols that the client should request instead, in the form of the field `upgrade`: a 426 must name them (RFC
   * 9110 15.5.22). Only HTTP/1.1 has that field. Throws HEMI_HEAD_SENT or HEMI_BAD_FIELD.
   */
  get upgrade(): string | undefined {
    return this.draft.upgrade;
  }

  set upgrade(protocols: string | undefined) {
    this.assertOpen();
    this.draft.upgrade = protocols === undefined ? undefined : checkFieldValue("upgrade", protocols);
  }

  /** For the engine: see `Fields`. */
  get neverIndexed(): ReadonlySet<string> | undefined {
    return this.draft.neverIndexed;
  }

  set neverIndexed(names: ReadonlySet<string> | undefined) {
    this.draft.neverIndexed = names;
  }

  /** Lower-case names and values alternating. */
  get fieldList(): readonly string[] {
    return this.draft.fields.list;
  }

  /** Replaces all fields of this name. Throws HEMI_HEAD_SENT or HEMI_BAD_FIELD. */
  setHeader(name: string, value: string | number): void {
    this.assertOpen();
    this.draft.fields.set(name, value);
  }

  /** Adds a field to those of this name. Throws HEMI_HEAD_SENT or HEMI_BAD_FIELD. */
  addHeader(name: string, value: string | number): void {
    this.assertOpen();
    this.draft.fields.add(name, value);
  }

  /** Removes all fields of this name. Throws HEMI_HEAD_SENT. */
  removeHeader(name: string): void {
    this.assertOpen();
    this.draft.fields.remove(name);
  }

  /** The first field of this name, as set so far. */
  header(name: string): string | undefined {
    return this.draft.fields.get(name);
  }

  /** Throws HEMI_HEAD_SENT, or HEMI_BAD_FIELD for a cookie that browsers would drop. */
  setCookie(name: string, value: string, options?: CookieOptions): void {
    this.addHeader("set-cookie", serializeCookie(name, value, options));
  }

  /**
   * The size of the content in bytes, if it is known. Set it before content is streamed to announce the size: more or
   * less content then aborts the response, and throws HEMI_USAGE. For content in one piece, revisers see its size here.
   */
  get contentSize(): number | undefined {
    return this.draft.contentSize;
  }

  set contentSize(size: number | undefined) {
    this.assertOpen();
    if (size !== undefined && (!Number.isSafeInteger(size) || size < 0)) {
      throw new HemiError("HEMI_USAGE", `contentSize is a number of bytes, not ${size}`);
    }
    this.draft.contentSize = size;
  }

  /**
   * For the engine: sets validated fields (lower-case names and values alternating). They replace fields of the same
   * names. The list must not be changed afterwards.
   */
  setTrustedFields(list: readonly string[]): void {
    this.assertOpen();
    this.draft.fields.setAllTrusted(list);
  }

  /**
   * For revisers that cache a transformed head: replaces all fields by the `fieldList` of an earlier response. The list
   * must not be changed afterwards: pass a copy if another reviser may follow. As long as no field is added,
   * `fieldList` is this list itself.
   */
  replaceFields(list: readonly string[]): void {
    this.assertOpen();
    this.draft.fields.replaceAll(list);
  }

  /**
   * The identity of the content, also for a 304 or the response to a HEAD; for revisers. `undefined` if it was not set,
   * or if a reviser has changed the content. After setting it, send exactly this content: with `send` and the same,
   * immutable bytes each time, or with `sendRegion`.
   */
  get knownContent(): KnownContent | undefined {
    return this.draft.knownContent;
  }

  set knownContent(known: KnownContent | undefined) {
    this.assertOpen();
    this.draft.knownContent = known;
  }

  /** Adds a trailer field, for streamed content only. It is not sent to clients that do not support it. */
  setTrailer(name: string, value: string | number): void {
    (this.draft.trailers ??= new FieldList()).set(name, value);
  }

  /**
   * For revisers that put the trailers elsewhere: names and values in turn, of those that were set. There are none
   * afterwards.
   */
  takeTrailers(): readonly string[] {
    const list = this.draft.trailers?.list ?? [];
    this.draft.trailers = undefined;
    return list;
  }

  /** The trailer fields, lower-case names and values alternating; `undefined`: none was set. */
  protected get trailerList(): readonly string[] | undefined {
    return this.draft.trailers?.list;
  }

  /** For the engine: a reviser transforms the content: it is no longer known, nor its size before its end. */
  contentRevised(): void {
    this.draft.knownContent = undefined;
    this.draft.contentSize = undefined;
  }

  /** For the engine: discards status and fields of an unsent response, to build another one. */
  reset(): void {
    this.assertOpen();
    this.draft.status = 200;
    this.draft.reason = undefined;
    this.draft.upgrade = undefined;
    this.draft.fields.clear();
    this.draft.neverIndexed = undefined;
    this.draft.contentSize = undefined;
    this.draft.knownContent = undefined;
    this.draft.trailers = undefined;
  }

  /** The media type of content that was given as text or as a value, unless one is set. */
  protected useType(type: string): void {
    if (!this.draft.fields.has("content-type")) this.draft.fields.addTrusted("content-type", type);
  }

  /** The size of content that is sent in one piece, whatever was announced. */
  protected noteSize(size: number): void {
    this.draft.contentSize = size;
  }
}
