// What a server owes a client for one command, packet by packet ("Command Phase").
//
//  result: OK ──────────────────────────────────────────────────────────> over, or the next result
//          columns ──> (EOF) ──> rows ──> EOF or OK ────────────────────> over, or the next result
//          a request for a file: the client sends it ──> OK ────────────> over, or the next result
//          an error, at any place ──────────────────────────────────────> over

import { capabilities, statusFlags } from "./capabilities.ts";
import { errorMark } from "./errors.ts";
import { ProtocolError } from "./packets.ts";

/** What a command is answered with. `packet`: one, of whatever kind. */
export type ResponseKind = "packet" | "result" | "rows" | "definitions" | "prepared";

/** What a packet means for the response. `file`: the client is asked for a file, and owes it now. */
export type Progress = "more" | "file" | "over";

export class Response {
  readonly #hasEof: boolean;
  readonly #kind: ResponseKind;
  #state: "first" | "columns" | "eof" | "rows" | "counted" = "first";
  /** Columns, or packets, that are still to come. */
  #left = 0;
  /** The last status that the server has told; `undefined`: none yet. */
  status: number | undefined;
  isError = false;

  /** `agreed`: the capabilities of both sides. */
  constructor(kind: ResponseKind, agreed: number) {
    this.#kind = kind;
    this.#hasEof = (agreed & capabilities.deprecateEof) === 0;
    if (kind === "rows" || kind === "definitions") this.#state = "rows";
  }

  /** A packet has come: see `HeadTaker`. Throws a ProtocolError for what cannot be. */
  took(bytes: Buffer, start: number, length: number): Progress {
    const mark = length === 0 ? 0 : (bytes[start] ?? 0);
    if (mark === errorMark && length > 0) {
      this.isError = true;
      return "over";
    }
    switch (this.#state) {
      case "first":
        return this.#first(bytes, start, length, mark);
      case "columns":
        if (--this.#left === 0) this.#state = this.#hasEof ? "eof" : "rows";
        return "more";
      case "eof":
        if (mark !== eofMark || length < 5) throw new ProtocolError("columns without an end");
        this.#state = "rows";
        this.status = bytes.readUInt16LE(start + 3);
        // Rows of a cursor come when they are fetched.
        return (this.status & statusFlags.cursor) === 0 ? "more" : "over";
      case "rows":
        return this.#row(bytes, start, length, mark);
      case "counted":
        return --this.#left === 0 ? "over" : "more";
    }
  }

  #first(bytes: Buffer, start: number, length: number, mark: number): Progress {
    if (this.#kind === "packet") {
      if (mark === okMark && length >= shortestOk) this.#readOk(bytes, start, length);
      return "over";
    }
    if (this.#kind === "prepared") return this.#prepared(bytes, start, length);
    if (mark === okMark) {
      this.#readOk(bytes, start, length);
      return this.#next();
    }
    if (mark === fileMark) return "file";
    this.#left = readNumber(bytes, start, start + length).value;
    if (this.#left === 0) throw new ProtocolError("a result without columns");
    this.#state = "columns";
    return "more";
  }

  #row(bytes: Buffer, start: number, length: number, mark: number): Progress {
    const isEnd = mark === eofMark && (this.#hasEof ? length < 9 : length < 0xff_ff_ff);
    if (!isEnd) return "more";
    if (!this.#hasEof) this.#readOk(bytes, start, length);
    else if (length < 5) throw new ProtocolError("rows without an end");
    else this.status = bytes.readUInt16LE(start + 3);
    return this.#next();
  }

  /** A statement is announced with its numbers of columns and parameters. Either list has an EOF behind it. */
  #prepared(bytes: Buffer, start: number, length: number): Progress {
    if (length < 9) throw new ProtocolError("a prepared statement that is too short");
    for (const count of [bytes.readUInt16LE(start + 5), bytes.readUInt16LE(start + 7)]) {
      this.#left += count === 0 ? 0 : count + (this.#hasEof ? 1 : 0);
    }
    this.#state = "counted";
    return this.#left === 0 ? "over" : "more";
  }

  #next(): Progress {
    const hasMore = this.#kind === "result" && ((this.status ?? 0) & statusFlags.moreResults) !== 0;
    this.#state = "first";
    return hasMore ? "more" : "over";
  }

  /** Behind its mark: the number of changed rows, the last id, the status. */
  #readOk(bytes: Buffer, start: number, length: number): void {
    const end = start + length;
    const rows = readNumber(bytes, start + 1, end);
    const id = readNumber(bytes, rows.next, end);
    if (id.next + 2 > end) throw new ProtocolError("an OK packet that is too short");
    this.status = bytes.readUInt16LE(id.next);
  }
}

/** A "length-encoded integer", which has to end before `end`. */
function readNumber(bytes: Buffer, at: number, end: number): { readonly value: number; readonly next: number } {
  const first = at < end ? (bytes[at] ?? 0) : 0xff;
  if (first < 0xfb) return { value: first, next: at + 1 };
  const size = first === 0xfc ? 2 : first === 0xfd ? 3 : 8;
  const next = at + 1 + size;
  if (next > end || first === 0xff) throw new ProtocolError("a number that does not end");
  return { value: bytes.readUIntLE(at + 1, Math.min(size, 6)), next };
}

const okMark = 0x00;
const fileMark = 0xfb;
const eofMark = 0xfe;
/** In bytes. */
const shortestOk = 7;
