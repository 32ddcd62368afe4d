// For tests: reads HTTP/1 responses as strictly as a hostile proxy might, and knows nothing of the engine's own codec.

/** Where the bytes of a response come from. */
export interface ByteSource {
  /** Up to and with the delimiter. Rejects when the bytes end before it. */
  through(delimiter: string): Promise<string>;
  /** So many bytes. Rejects when there are fewer. */
  exactly(size: number): Promise<Buffer>;
  /** All bytes up to the end. Rejects when the connection is reset. */
  toTheEnd(): Promise<Buffer>;
}

export interface ReceivedHead {
  readonly status: number;
  readonly reason: string;
  /** Names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Values of one name joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ReceivedResponse extends ReceivedHead {
  /** The 1xx heads before it. */
  readonly interims: readonly ReceivedHead[];
  readonly content: Buffer;
  readonly text: string;
  readonly framing: "none" | "sized" | "chunked" | "until close";
  readonly trailers: Readonly<Record<string, string>>;
}

export async function readHead(source: ByteSource): Promise<ReceivedHead> {
  const statusLine = await source.through("\r\n");
  const [, status, reason] =
    /^HTTP\/1\.1 ([1-9]\d\d) ([\t\x20-\x7e]*)\r\n$/.exec(statusLine) ?? bad("status line", statusLine);
  const fields = await readFields(source);
  return { status: Number(status), reason: reason ?? "", fields, headers: toRecord(fields) };
}

/** `method` is that of the request: an answer to HEAD has no content. */
export async function readResponse(source: ByteSource, method = "GET"): Promise<ReceivedResponse> {
  const interims: ReceivedHead[] = [];
  let head = await readHead(source);
  for (; head.status < 200; head = await readHead(source)) interims.push(head);
  const { status, fields } = head;
  const lengths = fields.filter(([name]) => name === "content-length").map(([, value]) => value);
  const codings = fields.filter(([name]) => name === "transfer-encoding").map(([, value]) => value);
  if (lengths.length + codings.length > 1) bad("framing", JSON.stringify(fields));
  const response = (framing: ReceivedResponse["framing"], content: Buffer, trailers: Record<string, string> = {}) => ({
    ...head,
    interims,
    framing,
    content,
    text: content.toString("utf8"),
    trailers,
  });
  if (method === "HEAD" || status === 204 || status === 304) {
    if (status === 204 && lengths.length + codings.length > 0) bad("framing of a 204", JSON.stringify(fields));
    return response("none", Buffer.alloc(0));
  }
  const [length] = lengths;
  if (length !== undefined) {
    if (!/^\d+$/.test(length)) bad("content-length", length);
    return response("sized", await source.exactly(Number(length)));
  }
  if (codings.length === 0) return response("until close", await source.toTheEnd());
  if (codings[0] !== "chunked") bad("transfer-encoding", codings.join());
  const pieces: Buffer[] = [];
  for (;;) {
    const sizeLine = await source.through("\r\n");
    const size = /^([0-9a-f]{1,8})\r\n$/.exec(sizeLine)?.[1] ?? bad("chunk size", sizeLine);
    if (size === "0") break;
    pieces.push(await source.exactly(parseInt(size, 16)));
    const end = (await source.exactly(2)).toString("latin1");
    if (end !== "\r\n") bad("end of a chunk", end);
  }
  return response("chunked", Buffer.concat(pieces), toRecord(await readFields(source)));
}

async function readFields(source: ByteSource): Promise<(readonly [string, string])[]> {
  const fields: (readonly [string, string])[] = [];
  for (;;) {
    const line = await source.through("\r\n");
    if (line === "\r\n") return fields;
    const [, name, value] =
      /^([!#$%&'*+\-.^_`|~0-9a-z]+): ([\t\x20-\x7e\x80-\xff]*)\r\n$/.exec(line) ?? bad("field line", line);
    fields.push([name ?? "", value ?? ""]);
  }
}

function toRecord(fields: readonly (readonly [string, string])[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (const [name, value] of fields) record[name] = record[name] === undefined ? value : `${record[name]}, ${value}`;
  return record;
}

function bad(what: string, text: string): never {
  throw new Error(`the server sent a bad ${what}: ${JSON.stringify(text)}`);
}
