// Parses the records of a FastCGI server as they arrive. The content of a long record is passed on before its end.

import { Buffer } from "node:buffer";
import { headerSize, recordTypes, requestId, version } from "./records.ts";

/** How the server ended the request. */
export interface RequestEnd {
  /** What the program returned; 0 is well. */
  readonly appStatus: number;
  /** 0: complete. 1: one request at a time. 2: overloaded. 3: unknown role. */
  readonly protocolStatus: number;
}

/** Hears what the records hold. Bytes are those of the input: copy what is kept. */
export interface RecordHandler {
  stdout(piece: Buffer): void;
  stderr(piece: Buffer): void;
  ended(end: RequestEnd): void;
}

export class RecordReader {
  readonly #taker: RecordHandler;
  /** The header of the record that is being read, as far as it has come. */
  readonly #header = Buffer.alloc(headerSize);
  #headerRead = 0;
  #type = 0;
  #contentLeft = 0;
  #paddingLeft = 0;
  /** The content of an end record, as far as it has come. */
  #end = noBytes;
  /** The request has ended: nothing may follow. */
  isOver = false;

  constructor(taker: RecordHandler) {
    this.#taker = taker;
  }

  /** Takes bytes. Returns why they are no records of this request, or nothing. */
  read(bytes: Buffer): string | undefined {
    let at = 0;
    while (at < bytes.length) {
      if (this.isOver && this.#paddingLeft === 0) return "something came behind the end of the request";
      if (this.#headerRead < headerSize) {
        const copied = bytes.copy(this.#header, this.#headerRead, at, at + headerSize - this.#headerRead);
        this.#headerRead += copied;
        at += copied;
        if (this.#headerRead < headerSize) return undefined;
        const failure = this.#begin();
        if (failure !== undefined) return failure;
      } else if (this.#contentLeft > 0) {
        const piece = bytes.subarray(at, at + this.#contentLeft);
        at += piece.length;
        this.#contentLeft -= piece.length;
        this.#take(piece);
      } else {
        const skipped = Math.min(this.#paddingLeft, bytes.length - at);
        at += skipped;
        this.#paddingLeft -= skipped;
      }
      if (this.#contentLeft === 0 && this.#paddingLeft === 0) this.#headerRead = 0;
    }
    return undefined;
  }

  /** The header is complete. */
  #begin(): string | undefined {
    const header = this.#header;
    if (header[0] !== version) return `the version of a record is ${header[0]}, not ${version}`;
    this.#type = header.readUInt8(1);
    const id = header.readUInt16BE(2);
    this.#contentLeft = header.readUInt16BE(4);
    this.#paddingLeft = header.readUInt8(6);
    if (id !== requestId) return `a record is of the request ${id}, which there is not`;
    const { stdout, stderr, endRequest } = recordTypes;
    if (this.#type !== stdout && this.#type !== stderr && this.#type !== endRequest) {
      return `a record has the type ${this.#type}, which servers do not send`;
    }
    if (this.#type === endRequest && this.#contentLeft !== 8) return "the record that ends the request is malformed";
    return undefined;
  }

  #take(piece: Buffer): void {
    if (this.#type === recordTypes.stdout) this.#taker.stdout(piece);
    else if (this.#type === recordTypes.stderr) this.#taker.stderr(piece);
    else {
      this.#end = Buffer.concat([this.#end, piece]);
      if (this.#contentLeft > 0) return;
      this.isOver = true;
      this.#taker.ended({ appStatus: this.#end.readUInt32BE(0), protocolStatus: this.#end.readUInt8(4) });
    }
  }
}

const noBytes = Buffer.alloc(0);
