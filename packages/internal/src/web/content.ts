// The content of a request as a handlet reads it: once, as bytes, text, JSON or a stream.

import { HemiError } from "../errors/hemi-error.ts";
import { ExchanError } from "./exchan-error.ts";
import type { ExchanWire } from "./exchan.ts";
import { FilterChain, type PlacedFilter } from "./filter.ts";
import { HTTPError } from "./http-error.ts";

/** Is read once. Every way of reading throws HEMI_CONTENT_TOO_LARGE, HEMI_CONTENT_BROKEN, HEMI_TIMEOUT or HEMI_PEER_GONE; uncaught, they give 413, 400, 408 and nothing. */
export class Content implements AsyncIterable<Uint8Array> {
  /** In bytes; `undefined` where the sender did not say. 0: there is none. */
  readonly size: number | undefined;
  /** In bytes. Set by `maxContentSize` of the rule that has the request just now; it counts when the content is read. */
  maxSize = Infinity;
  readonly #wire: ExchanWire;
  /** Nearest to the wire first. */
  #filters: readonly PlacedFilter[] = [];
  #chain: FilterChain | undefined;
  #isRead = false;

  constructor(wire: ExchanWire) {
    this.#wire = wire;
    this.size = wire.head.contentSize;
  }

  /** Someone has begun to read it. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** For the engine: puts a filter between the wire and the reader. */
  addFilter(filter: PlacedFilter): void {
    if (this.#filters.length === 0) this.#wire.onEnd(() => this.#closeFilters());
    this.#filters = [...this.#filters, filter].sort((a, b) => a.rank - b.rank);
  }

  async bytes(): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this) pieces.push(piece);
    const [only] = pieces;
    return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
  }

  /** Read as UTF-8; broken sequences become U+FFFD. */
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

  /** The pieces, as they come; the client is held back while none is asked for. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    if (this.#isRead)
      throw new HemiError("HEMI_CONTENT_READ", "the content of the request has been read already: keep what you read");
    this.#isRead = true;
    if (this.size !== undefined && this.size > this.maxSize) throw this.#tooLarge();
    if (this.#filters.length === 0) yield* this.#pieces();
    else yield* this.#filteredPieces();
  }

  async *#pieces(): AsyncGenerator<Uint8Array, void, void> {
    let read = 0;
    for (;;) {
      const piece = await this.#wire.readContent();
      if (piece === undefined) return;
      read += piece.length;
      if (read > this.maxSize) throw this.#tooLarge();
      yield piece;
    }
  }

  async *#filteredPieces(): AsyncGenerator<Uint8Array, void, void> {
    let made: Uint8Array[] = [];
    let total = 0;
    const chain = (this.#chain ??= new FilterChain(this.#filters, (piece) => {
      total += piece.length;
      // What filters make of the content is bounded as it is: a few bytes can unfold to gigabytes.
      if (total > this.maxSize) throw this.#tooLarge();
      made.push(piece);
    }));
    try {
      for await (const piece of this.#pieces()) {
        await chain.push(piece);
        const ready = made;
        made = [];
        yield* ready;
      }
      await chain.end();
      yield* made;
    } finally {
      chain.close();
    }
  }

  /** The exchan has ended: the filters have, whoever reads through them, if anyone does. */
  #closeFilters(): void {
    (this.#chain ??= new FilterChain(this.#filters, noTaker)).close();
  }

  #tooLarge(): ExchanError {
    return new ExchanError(
      "HEMI_CONTENT_TOO_LARGE",
      `the content of the request is larger than the ${this.maxSize} bytes of maxContentSize`,
    );
  }
}

function noTaker(): void {}
