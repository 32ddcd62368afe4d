// Requests of clients: arrays of bulk strings, or lines (RESP, "Inline commands").

import { readLength, RespError, ValueScanner } from "./value-scanner.ts";

/** One request. Its bytes are valid until the callback returns. */
export class Request {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Where each argument begins and ends, the name of the command first. */
  readonly #places: readonly number[];

  constructor(bytes: Buffer, start: number, end: number, places: readonly number[]) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.#places = places;
  }

  /** The number of arguments, with the name of the command. */
  get length(): number {
    return this.#places.length / 2;
  }

  /** As it was sent, to be passed on. */
  get raw(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  /** An argument; empty beyond the last one. */
  arg(index: number): Buffer {
    return this.bytes.subarray(this.#places[index * 2] ?? 0, this.#places[index * 2 + 1] ?? 0);
  }

  /** For names of commands and their options. */
  word(index: number): string {
    return this.arg(index).toString("latin1").toUpperCase();
  }
}

/** Reads requests. `add` throws a RespError for what is none. */
export class RequestReader extends ValueScanner {
  constructor(maxSize: () => number, took: (request: Request) => void) {
    const takeValue = (bytes: Buffer, start: number, end: number): void => {
      const request = bytes[start] === asterisk ? parse(bytes, start, end) : parseLine(bytes.subarray(start, end));
      // Redis ignores empty ones, too.
      if (request !== undefined && request.length > 0) took(request);
    };
    super(maxSize, takeValue, true);
  }
}

function parse(bytes: Buffer, start: number, end: number): Request {
  let at = bytes.indexOf(13, start);
  const count = readLength(bytes, start + 1, at);
  at += 2;
  const places: number[] = [];
  for (let i = 0; i < count; i++) {
    if (bytes[at] !== 36) throw new RespError("a request with something else than bulk strings");
    const behind = bytes.indexOf(13, at);
    const length = readLength(bytes, at + 1, behind);
    if (length < 0) throw new RespError("a request with something else than bulk strings");
    places.push(behind + 2, behind + 2 + length);
    at = behind + 2 + length + 2;
  }
  return new Request(bytes, start, end, places);
}

/** A line is passed on as an array, because a node counts lines against a client. */
function parseLine(line: Buffer): Request | undefined {
  const words = line
    .toString("latin1")
    .split(/[ \t\v\f\r\n\0]+/)
    .filter((word) => word !== "");
  if (words.length === 0) return undefined;
  if (/["']/.test(line.toString("latin1"))) throw new RespError("a line with quotes");
  const bytes = encodeRequest(words.map((word) => Buffer.from(word, "latin1")));
  return parse(bytes, 0, bytes.length);
}

/** A request as a client sends it. */
export function encodeRequest(args: readonly (string | Buffer)[]): Buffer {
  const pieces: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === "string" ? Buffer.from(arg) : arg;
    pieces.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(pieces);
}

const asterisk = 42;
