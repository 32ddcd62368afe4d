// Texts that come again and again, such as the paths of procedures. One that is known costs no decoding, and is the
// same string each time, so that the tables that it is looked up in need not compute its hash anew.

interface Known {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** A direct-mapped cache: a text is at one place, from which another one drives it away. */
export class TextMemo {
  readonly #places: (Known | undefined)[] = Array.from({ length: placeCount }, () => undefined);

  /** `undefined`: it is not known. */
  find(bytes: Uint8Array): string | undefined {
    const known = this.#places[placeOf(bytes)];
    if (known?.bytes.length !== bytes.length) return undefined;
    for (let i = 0; i < bytes.length; i++) if (bytes[i] !== known.bytes[i]) return undefined;
    return known.text;
  }

  /** Keeps the text of some bytes, which are copied. Returns it. */
  keep(bytes: Uint8Array, text: string): string {
    if (bytes.length <= maxSize) this.#places[placeOf(bytes)] = { bytes: new Uint8Array(bytes), text };
    return text;
  }
}

/** Names of one service differ at their ends. */
function placeOf(bytes: Uint8Array): number {
  const { length } = bytes;
  const [a = 0, b = 0, c = 0] = [bytes[length - 1], bytes[length - 3], bytes[length >> 1]];
  return (a * 31 + b * 7 + c + length) % placeCount;
}

/** Not props: what they take, 64 KiB at most, is taken once in a process. */
const placeCount = 256;
const maxSize = 256;
