// Domain names as they are in messages: labels behind their lengths (RFC 1035 3.1, 4.1.4).

/**
 * The position behind the name at `at`, or -1 if it is malformed. A compression pointer ends a name; it has to point
 * backwards, so that no chain of pointers is a loop.
 */
export function nameEnd(message: Buffer, at: number, mayPoint: boolean): number {
  let size = 1;
  for (let i = at; i < message.length;) {
    const length = message[i] ?? 0;
    if (length === 0) return i + 1;
    if (length >= 0xc0) {
      const target = ((length & 0x3f) << 8) | (message[i + 1] ?? 0);
      return mayPoint && i + 1 < message.length && target < at ? i + 2 : -1;
    }
    size += length + 1;
    if (length > maxLabel || size > maxName) return -1;
    i += length + 1;
  }
  return -1;
}

/** The bytes as a text for comparisons, in which letters of ASCII are small (RFC 4343). Lengths of labels are below. */
export function lowered(message: Buffer, from: number, to: number): string {
  const text = message.toString("latin1", from, to);
  return /[A-Z]/.test(text) ? text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()) : text;
}

/** A name of a configuration, such as `www.example` or `*.example`, in the form of `lowered`; else `undefined`. */
export function wireName(text: string): string | undefined {
  const plain = text.toLowerCase().replace(/\.$/, "");
  if (plain === "") return text === "." ? "\0" : undefined;
  const labels = plain.split(".");
  const isFine = labels.every((label, i) => /^[a-z0-9_-]{1,63}$/.test(label) || (i === 0 && label === "*"));
  const wire = `${labels.map((label) => String.fromCharCode(label.length) + label).join("")}\0`;
  return isFine && wire.length <= maxName ? wire : undefined;
}

/** The name without its first label; `undefined` for the root. */
export function parentOf(wire: string): string | undefined {
  const length = wire.charCodeAt(0);
  return length > 0 ? wire.slice(length + 1) : undefined;
}

const maxLabel = 63;
/** With the lengths and the root. */
const maxName = 255;
