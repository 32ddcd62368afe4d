// Removes padding after the boundaries of a multipart form: spaces and tabs before the line end, which have no meaning
// (RFC 2046 5.1.1).

/**
 * The pieces without padding; a piece without padding is returned itself. For a parser that does not support padding.
 */
export async function* withoutPadding(
  pieces: AsyncIterable<Uint8Array>,
  boundary: string,
): AsyncGenerator<Uint8Array, void, void> {
  const delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  /** The last bytes, one fewer than a delimiter has. The first delimiter may be at the very start. */
  let tail: Uint8Array = Buffer.from("\r\n");
  /** Padding after a delimiter, until the next byte decides; `undefined` elsewhere. */
  let held: number[] | undefined;
  for await (const piece of pieces) {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let kept = 0;
    for (let at = held === undefined ? endOfDelimiter(tail, bytes, delimiter) : 0; at >= 0;) {
      const start = at;
      held ??= [];
      while (at < bytes.length && (bytes[at] === SP || bytes[at] === TAB) && held.length < maxPadding) {
        held.push(bytes[at] ?? SP);
        at++;
      }
      if (start > kept) yield bytes.subarray(kept, start);
      kept = at;
      if (at === bytes.length) break;
      // Content that looks like a boundary, but is followed by something else, is content.
      if (bytes[at] !== CR && held.length > 0) yield Buffer.from(held);
      held = undefined;
      const next = bytes.indexOf(delimiter, at);
      at = next < 0 ? -1 : next + delimiter.length;
    }
    if (kept < bytes.length) yield kept === 0 ? piece : bytes.subarray(kept);
    tail = Buffer.concat([tail, bytes.subarray(-delimiter.length)]).subarray(1 - delimiter.length);
  }
  if (held !== undefined && held.length > 0) yield Buffer.from(held);
}

/** The end in `bytes` of the first delimiter, which may have begun in `tail`; -1: none. */
function endOfDelimiter(tail: Uint8Array, bytes: Buffer, delimiter: Buffer): number {
  const joint = Buffer.concat([tail, bytes.subarray(0, delimiter.length - 1)]);
  const across = joint.indexOf(delimiter);
  if (across >= 0) return across + delimiter.length - tail.length;
  const at = bytes.indexOf(delimiter);
  return at < 0 ? -1 : at + delimiter.length;
}

const SP = 0x20;
const TAB = 0x09;
const CR = 0x0d;

/** In bytes. Not a prop: no client sends so much padding. */
const maxPadding = 256;
