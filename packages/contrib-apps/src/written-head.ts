// Reads the head of an HTTP/1 answer that an app has written to its socket by itself.

export interface WrittenHead {
  readonly status: number;
  /** "" for none. */
  readonly reason: string;
  /** In the order written. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** What was written behind it. */
  readonly rest: Buffer;
}

/** `undefined` while it is not complete. Throws an Error for what is none. */
export function readWrittenHead(bytes: Buffer): WrittenHead | undefined {
  const end = bytes.indexOf("\r\n\r\n", 0, "latin1");
  if (end < 0) {
    if (bytes.length < maxHeadSize) return undefined;
    throw new Error(`the app wrote ${bytes.length} bytes to the socket of an upgrade, and no head of an answer`);
  }
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const [, status, reason = ""] = /^HTTP\/1\.[01] ([1-9][0-9]{2})(?: (.*))?$/.exec(statusLine) ?? [];
  if (status === undefined) {
    throw new Error(
      `the app wrote ${JSON.stringify(statusLine.slice(0, 80))} to the socket of an upgrade, which begins no answer`,
    );
  }
  const fields = lines.map((line) => {
    // The value begins and ends with what is no space: a run of spaces is read in one way only, and in linear time.
    const [, name, value = ""] = /^([^\s:]+):[ \t]*(?:([^ \t\r\n](?:.*[^ \t\r\n])?)[ \t]*)?$/.exec(line) ?? [];
    if (name === undefined) {
      throw new Error(`the app wrote a field line that is none: ${JSON.stringify(line.slice(0, 80))}`);
    }
    return [name.toLowerCase(), value] as const;
  });
  return { status: Number(status), reason, fields, rest: bytes.subarray(end + 4) };
}

/** In bytes. No prop: it is the app's own, and few have more than some hundred. */
const maxHeadSize = 64 * 1024;
