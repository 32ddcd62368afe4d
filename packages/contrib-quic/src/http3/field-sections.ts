// Field sections of the streams of a connection: read at once, or when the inserts of QPACK have come that they need
// (RFC 9204 2.1.2).

import type { QpackDecoder } from "../qpack/decoder.ts";
import { errorCode, Http3ConnError } from "./errors.ts";
import type { RequestStream } from "./request-stream.ts";

export interface FieldSectionsOptions {
  readonly decoder: QpackDecoder;
  /** How many streams may wait. Read when used: live. */
  readonly maxBlocked: () => number;
  /** Reads a section that has come, and waits for nothing. */
  readonly read: (stream: RequestStream, section: Buffer | "tooLarge") => void;
  /** A section that had to wait was read: what came behind it may be read, too. */
  readonly unblocked: (stream: RequestStream) => void;
}

export class FieldSections {
  readonly #options: FieldSectionsOptions;
  /** Streams whose head or trailers wait. */
  readonly #blocked = new Set<RequestStream>();

  constructor(options: FieldSectionsOptions) {
    this.#options = options;
  }

  /** The section of a stream is here. Throws QPACK_DECOMPRESSION_FAILED. */
  arrived(stream: RequestStream): void {
    const { decoder, maxBlocked } = this.#options;
    const { section } = stream;
    if (section === undefined) return;
    if (section === "tooLarge" || !decoder.isBlocked(section)) return this.#read(stream, section);
    if (this.#blocked.size >= maxBlocked())
      throw new Http3ConnError(errorCode.qpackDecompressionFailed, "more of its streams are blocked than allowed");
    this.#blocked.add(stream);
  }

  /** Instructions of the peer's encoder have come. */
  insertsArrived(): void {
    const { decoder, unblocked } = this.#options;
    for (const stream of [...this.#blocked]) {
      const { section } = stream;
      if (section === undefined || section === "tooLarge" || decoder.isBlocked(section)) continue;
      this.#blocked.delete(stream);
      this.#read(stream, section);
      unblocked(stream);
    }
    decoder.acknowledgeInserts();
  }

  /** Nobody reads the stream any more. */
  forget(stream: RequestStream): void {
    this.#blocked.delete(stream);
  }

  clear(): void {
    this.#blocked.clear();
  }

  #read(stream: RequestStream, section: Buffer | "tooLarge"): void {
    stream.section = undefined;
    this.#options.read(stream, section);
  }
}
