// The content of a request, which a handlet reads once as bytes, text, JSON, a form or a stream.

import { HemiError } from "../../errors/hemi-error.ts";
import { contentCodings, decodingFilter, parseContentCoding } from "./content-decoding.ts";
import { noContentLimits, type ContentLimits } from "./content-limits.ts";
import { ExchanError } from "../../http/exchan-error.ts";
import type { ExchanWire } from "../../http/exchan.ts";
import type { PlacedFilter } from "./filter.ts";
import { FilteredContent } from "./filtered-content.ts";
import { Form } from "./form/form.ts";
import type { FormPart } from "./form/form-part.ts";
import { formTypeOf } from "./form/form-type.ts";
import { readMultipart } from "./form/multipart.ts";
import { readForm } from "./form/read-form.ts";
import type { Uploads } from "./form/uploads.ts";
import { readUrlencoded } from "./form/urlencoded.ts";
import { HTTPError } from "../http-error.ts";
import { GatheredBytes } from "./gathered-bytes.ts";

/**
 * Is read once. Every way of reading throws HEMI_CONTENT_TOO_LARGE, HEMI_CONTENT_BROKEN, HEMI_TIMEOUT or
 * HEMI_PEER_GONE; uncaught, they give 413, 400, 408 and nothing.
 *
 * | read by                                    | revisers | content-encoding | limits beside maxContentSize        |
 * | ------------------------------------------ | -------- | ---------------- | ----------------------------------- |
 * | `bytes` `text` `json`, `form` (urlencoded) | yes      | decoded, or 415  | `maxMemoryContentSize`              |
 * | `form` and `formParts` (multipart)         | yes      | decoded, or 415  | `maxUploadContentSize` in its place |
 * | `passedBytes`                              | yes      | as it is         | `maxMemoryContentSize`              |
 * | iteration                                  | yes      | as it is         |                                     |
 * | `raw`                                      | no       | as it is         |                                     |
 */
export class Content implements AsyncIterable<Uint8Array> {
  /** In bytes; `undefined` if the sender did not announce it. 0: there is no content. */
  readonly size: number | undefined;
  #coding: string;
  readonly #wire: ExchanWire;
  readonly #owner: ContentOwner;
  /** The filter nearest to the wire first. */
  #filters: readonly PlacedFilter[] = noFilters;
  #filtered: FilteredContent | undefined;
  #isRead = false;
  /** For `next`: in bytes, what was read so far, and how much it may be. */
  #readByNext = 0;
  /** `undefined`: `next` was not called yet. */
  #limitOfNext: number | undefined;
  #iterator: AsyncIterator<Uint8Array> | undefined;

  /** For requests. */
  constructor(wire: ExchanWire, owner: ContentOwner) {
    this.#wire = wire;
    this.#owner = owner;
    this.size = wire.head.contentSize;
    this.#coding = wire.head.fields.get("content-encoding") ?? "";
  }

  /** The content-encoding of the iterated content; "" for none. */
  get coding(): string {
    return this.#coding;
  }

  /** For revisers that remove or add a coding: updates the request fields accordingly, and removes the length. */
  set coding(coding: string) {
    this.#coding = coding;
    this.#owner.recoded(coding);
  }

  /** Whether reading has begun. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** The size if the content is unchanged; filters make it unknown. */
  get passedSize(): number | undefined {
    return this.#filters.length === 0 || this.size === 0 ? this.size : undefined;
  }

  /** For the engine: inserts a filter between the wire and the reader. */
  addFilter(filter: PlacedFilter): void {
    if (this.#filters.length === 0) this.#wire.onEnd(() => this.#closeFilters());
    this.#filters = [...this.#filters, filter].sort((a, b) => a.rank - b.rank);
  }

  /** The whole content, with its content-encoding removed. */
  bytes(): Promise<Uint8Array> {
    return this.#gather(true);
  }

  /** The whole content with its content-encoding, to be passed on with the fields of the request. */
  passedBytes(): Promise<Uint8Array> {
    return this.#gather(false);
  }

  async #gather(isDecoded: boolean): Promise<Uint8Array> {
    const { maxMemoryContentSize } = this.#owner.contentTerms.limits;
    const ofContent = this.#limit();
    const limit: SizeLimit =
      maxMemoryContentSize < ofContent.size ? { prop: "maxMemoryContentSize", size: maxMemoryContentSize } : ofContent;
    const gathered = new GatheredBytes();
    for await (const piece of this.#read(limit, isDecoded ? this.#decodingFilters() : [])) gathered.add(piece);
    return gathered.bytes();
  }

  /** Decoded as UTF-8, whatever charset the content-type names; invalid sequences become U+FFFD. */
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  /** Throws HTTPError 400 if it is not JSON in UTF-8. The result is what the client sent: check it. */
  async json(): Promise<unknown> {
    const bytes = await this.bytes();
    try {
      const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
      return value;
    } catch (cause) {
      throw new HTTPError(400, "the content of the request is not JSON", { cause });
    }
  }

  /**
   * A form, urlencoded or multipart: fields in memory, files in `uploadsDir` of the rule until the exchan ends, unless
   * they are moved. Throws HTTPError, too: 415 for content that is not a form, 400 for a multipart form without a valid
   * boundary, 507 if the disk is full. All text is decoded as UTF-8, as the URL and HTML standards require, whatever
   * charset is named.
   */
  async form(): Promise<Form> {
    const type = formTypeOf(this.#wire.head.fields.get("content-type"));
    if (type.sort === "urlencoded")
      return new Form(readUrlencoded(await this.bytes(), this.#owner.contentTerms.limits));
    const { uploads } = this.#owner.contentTerms;
    if (uploads === undefined) {
      throw new HemiError(
        "HEMI_USAGE",
        "a form with files can be read while a rule has the request: nobody else keeps them",
      );
    }
    return await readForm(this.#multipartParts(type.boundary), uploads, this.#wire);
  }

  /**
   * The parts of a form as they arrive, for handlets that store its files neither on disk nor in memory. Throws like
   * `form`.
   */
  async *formParts(): AsyncGenerator<FormPart, void, void> {
    const type = formTypeOf(this.#wire.head.fields.get("content-type"));
    if (type.sort === "multipart") return yield* this.#multipartParts(type.boundary);
    for (const [name, value] of readUrlencoded(await this.bytes(), this.#owner.contentTerms.limits))
      yield { kind: "field", name, value };
  }

  /** The pieces as sent, without revisers, to be passed on with the fields of the request. */
  async *raw(): AsyncGenerator<Uint8Array, void, void> {
    yield* this.#read(this.#limit(), "raw");
  }

  /** The pieces as they arrive. The client is paused while none is requested. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    yield* this.#read(this.#limit(), []);
  }

  /**
   * For the engine: the next piece, as iteration gives it, and `undefined` at the end. Without a promise where a piece
   * is here, and without a generator where no reviser has the content.
   */
  next(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    let limit = this.#limitOfNext;
    if (limit === undefined) {
      const ofContent = this.#limit();
      limit = this.#limitOfNext = ofContent.size;
      if (this.#filters.length > 0) this.#iterator = this[Symbol.asyncIterator]();
      else this.#begin(ofContent);
    }
    if (this.#iterator !== undefined) return nextOf(this.#iterator);
    const piece = this.#wire.readContent();
    if (limit === Infinity) return piece;
    return piece instanceof Promise ? piece.then((piece) => this.#counted(piece)) : this.#counted(piece);
  }

  #counted(piece: Uint8Array | undefined): Uint8Array | undefined {
    this.#readByNext += piece?.length ?? 0;
    const size = this.#limitOfNext;
    if (size !== undefined && this.#readByNext > size) throw tooLarge({ prop: "maxContentSize", size });
    return piece;
  }

  /**
   * For the engine, which passes on a piece just read, and keeps it no longer: see `lent` of the wire. Not where there
   * are filters: they may keep what they pass on.
   */
  lent(piece: Uint8Array): (() => void) | undefined {
    return this.#filters.length > 0 ? undefined : this.#wire.lent?.(piece);
  }

  /** For the engine: see `limitContent` of the wire. */
  limitWait(timeout: number): void {
    this.#wire.limitContent(timeout);
  }

  #begin(limit: SizeLimit): void {
    if (this.#isRead)
      throw new HemiError("HEMI_CONTENT_READ", "the content of the request has been read already: keep what you read");
    this.#isRead = true;
    if (this.size !== undefined && this.size > limit.size) throw tooLarge(limit);
  }

  #multipartParts(boundary: string): AsyncGenerator<FormPart, void, void> {
    const { maxUploadContentSize } = this.#owner.contentTerms.limits;
    const limit: SizeLimit =
      maxUploadContentSize === undefined ? this.#limit() : { prop: "maxUploadContentSize", size: maxUploadContentSize };
    return readMultipart(this.#read(limit, this.#decodingFilters()), boundary, this.#owner.contentTerms.limits);
  }

  #limit(): SizeLimit {
    const { maxContentSize } = this.#owner.contentTerms.limits;
    const size = maxContentSize ?? this.#owner.defaultMaxContentSize;
    return { prop: "maxContentSize", size: maxContentSize === 0 ? Infinity : size };
  }

  /** The filters that remove the content-encoding. Throws HTTPError 415 if decoding is off or the coding is unknown. */
  #decodingFilters(): readonly PlacedFilter[] {
    const coding = parseContentCoding(this.coding);
    if (coding === "identity") return [];
    const { decodeContent, maxContentRatio } = this.#owner.contentTerms.limits;
    if (coding === undefined || !decodeContent) {
      const reason = decodeContent ? "which cannot be decoded" : "and decodeContent is not set";
      throw new HTTPError(415, `the content of the request has the content-encoding ${this.coding}, ${reason}`, {
        // RFC 7694 section 3.
        fields: { "accept-encoding": decodeContent ? contentCodings.join(", ") : "identity" },
      });
    }
    // Revisers receive encoded content: decoding comes after all of them.
    return [{ rank: 32, path: "content", filter: decodingFilter(coding, { maxRatio: maxContentRatio }) }];
  }

  /** `furtherFilters` come after those of revisers; "raw": without either. */
  async *#read(
    limit: SizeLimit,
    furtherFilters: readonly PlacedFilter[] | "raw",
  ): AsyncGenerator<Uint8Array, void, void> {
    this.#begin(limit);
    if (furtherFilters !== "raw") for (const filter of furtherFilters) this.addFilter(filter);
    if (furtherFilters === "raw" || this.#filters.length === 0) yield* this.#pieces(limit);
    else {
      this.#filtered ??= new FilteredContent(this.#filters, limit.size, () => tooLarge(limit), this.#closeFailed());
      yield* this.#filtered.read(this.#pieces(limit));
    }
  }

  async *#pieces(limit: SizeLimit): AsyncGenerator<Uint8Array, void, void> {
    let read = 0;
    for (;;) {
      const piece = await this.#wire.readContent();
      if (piece === undefined) return;
      read += piece.length;
      if (read > limit.size) throw tooLarge(limit);
      yield piece;
    }
  }

  #closeFailed(): (fault: unknown) => void {
    return (fault) => this.#owner.noteFault(fault);
  }

  /** The exchan has ended, so its filters are closed, whether or not anyone reads. */
  #closeFilters(): void {
    (this.#filtered ??= new FilteredContent(this.#filters, 0, noError, this.#closeFailed())).close();
  }
}

async function nextOf(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  const next = await iterator.next();
  return next.done === true ? undefined : next.value;
}

/** The settings for content of the rule that has the request. */
export interface ContentTerms {
  readonly limits: ContentLimits;
  /** The store for form files; `undefined` before a rule has the request. */
  readonly uploads: Uploads | undefined;
}

/** The owner of the content: its terms apply when the content is read. */
export interface ContentOwner {
  readonly contentTerms: ContentTerms;
  /** In bytes, where `maxContentSize` is not set: see `HandletPart`. */
  readonly defaultMaxContentSize: number;
  /** The content-encoding has changed. */
  recoded(coding: string): void;
  /** A reviser's filter has failed when nobody reads any more. */
  noteFault(fault: unknown): void;
}

/** For content before it reaches a rule. */
export const noContentTerms: ContentTerms = { limits: noContentLimits, uploads: undefined };

interface SizeLimit {
  /** For the message. */
  readonly prop: string;
  /** In bytes. */
  readonly size: number;
}

function tooLarge({ prop, size }: SizeLimit): ExchanError {
  return new ExchanError(
    "HEMI_CONTENT_TOO_LARGE",
    `the content of the request is larger than the ${size} bytes of ${prop}`,
  );
}

const noFilters: readonly PlacedFilter[] = [];

/** Without filters, this error cannot occur. */
function noError(): Error {
  return new Error();
}
