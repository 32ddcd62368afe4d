// Takes the chunked coding off an answer that an app has written to its socket by itself, as a ServerResponse with a
// socket of its own does.

export class WrittenChunks {
  #isOver = false;
  #pending = Buffer.alloc(0);

  /** The last chunk and the trailers, which are dropped, have come. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The content in these bytes, as far as its chunks are complete. Throws an Error for what is no chunk. */
  take(bytes: Buffer): Buffer {
    let rest = Buffer.concat([this.#pending, bytes]);
    const pieces: Buffer[] = [];
    while (!this.#isOver) {
      const lineEnd = rest.indexOf("\r\n", 0, "latin1");
      if (lineEnd < 0) break;
      const line = rest.toString("latin1", 0, lineEnd);
      const size = /^[0-9a-f]{1,8}$/i.test(line) ? parseInt(line, 16) : NaN;
      if (Number.isNaN(size))
        throw new Error(`the app wrote a chunk that is none: ${JSON.stringify(line.slice(0, 80))}`);
      if (size === 0) {
        // The empty line stands behind the trailers, or at once.
        this.#isOver = rest.indexOf("\r\n\r\n", lineEnd, "latin1") >= 0;
        break;
      }
      const start = lineEnd + 2;
      if (rest.length < start + size + 2) break;
      pieces.push(rest.subarray(start, start + size));
      rest = rest.subarray(start + size + 2);
    }
    this.#pending = rest;
    return Buffer.concat(pieces);
  }
}
