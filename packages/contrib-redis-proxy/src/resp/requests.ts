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
  readonly #took: (request: Request) => void;
  readonly #maxWhole: () => number;

  constructor(maxSize: () => number, took: (request: Request) => void) {
    const takeValue = (bytes: Buffer, start: number, end: number): void => {
      const request = bytes[start] === asterisk ? parse(bytes, start, end) : parseLine(bytes.subarray(start, end));
      // Redis ignores empty ones, too.
      if (request !== undefined && request.length > 0) took(request);
    };
    super(maxSize, takeValue, true);
    this.#took = took;
    this.#maxWhole = maxSize;
  }

  /** Most requests come as a whole, many in one piece: they are read in one go. */
  override add(bytes: Buffer, isShared: boolean): void {
    let at = 0;
    while (this.size === 0 && at < bytes.length) {
      const request = wholeRequest(bytes, at);
      if (request === undefined || request.end - at > this.#maxWhole()) break;
      this.#took(request);
      at = request.end;
    }
    if (at < bytes.length) super.add(at === 0 ? bytes : bytes.subarray(at), isShared);
  }
}

/** `undefined`: it is not complete, or not what most are: then the scanner looks closer. */
function wholeRequest(bytes: Buffer, start: number): Request | undefined {
  if (bytes[start] !== asterisk) return undefined;
  const countEnd = digitsEnd(bytes, start + 1);
  if (countEnd < 0) return undefined;
  const places: number[] = [];
  let at = countEnd + 2;
  for (let left = numberIn(bytes, start + 1, countEnd); left > 0; left--) {
    if (bytes[at] !== dollar) return undefined;
    const lengthEnd = digitsEnd(bytes, at + 1);
    if (lengthEnd < 0) return undefined;
    const argument = lengthEnd + 2;
    const end = argument + numberIn(bytes, at + 1, lengthEnd);
    if (bytes[end] !== 13 || bytes[end + 1] !== 10) return undefined;
    places.push(argument, end);
    at = end + 2;
  }
  return places.length === 0 ? undefined : new Request(bytes, start, at, places);
}

/** Where one to six digits with CRLF behind them end; -1: something else is there. */
function digitsEnd(bytes: Buffer, start: number): number {
  let at = start;
  while (at - start < 7 && isDigit(bytes[at])) at++;
  return at > start && at - start < 7 && bytes[at] === 13 && bytes[at + 1] === 10 ? at : -1;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 48 && byte <= 57;
}

function numberIn(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + (bytes[i] ?? 0) - 48;
  return value;
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
const dollar = 36;
