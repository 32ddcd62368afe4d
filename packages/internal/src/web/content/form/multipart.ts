// Parses a multipart form while it streams (RFC 7578), with the parser of @fastify/busboy.
//
//  reader ──requests──> waiting parts, content of the current part
//                                   │ none
//                                   v
//                         next piece of the content ──write──> Dicer ──> parts, their content
//
// Nothing is read before it is requested, and the buffered data comes from one piece.

import type { Readable } from "node:stream";
import type { Dicer } from "@fastify/busboy";
import { ExchanError } from "../../../http/exchan-error.ts";
import { GatheredBytes } from "../gathered-bytes.ts";
import { safeFileName } from "./file-name.ts";
import type { FormLimits, FormPart } from "./form-part.ts";
import { withoutPadding } from "./transport-padding.ts";
import { readPartHead, type PartFields, type PartHead } from "./part-head.ts";

/**
 * The parts of a form in order; `pieces` is its content. Throws HEMI_CONTENT_BROKEN for a malformed or incomplete form,
 * HEMI_CONTENT_TOO_LARGE if a limit is exceeded, and errors of `pieces`. Values and names are decoded as UTF-8,
 * whatever charset a part names; invalid sequences become U+FFFD.
 */
export async function* readMultipart(
  pieces: AsyncIterable<Uint8Array>,
  boundary: string,
  limits: FormLimits,
): AsyncGenerator<FormPart, void, void> {
  const reader = new MultipartReader(withoutPadding(pieces, boundary), await makeParser(boundary, limits), limits);
  try {
    for (let part = await reader.next(); part !== undefined; part = await reader.next()) {
      const { head } = part;
      if (head.fileName === undefined) {
        yield { kind: "field", name: head.name, value: await reader.valueOf(part) };
        continue;
      }
      const { name, fileName, mediaType } = head;
      const content = reader.contentOf(part);
      yield {
        kind: "file",
        name,
        fileName,
        safeName: safeFileName(fileName),
        mediaType,
        [Symbol.asyncIterator]: () => content,
      };
      await reader.skipRest(part);
    }
  } finally {
    await reader.close();
  }
}

/** A part whose head has been parsed. */
interface OpenPart {
  readonly head: PartHead;
  readonly stream: Readable;
  /** In bytes, so far. */
  size: number;
}

class MultipartReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #limits: FormLimits;
  readonly #dicer: Dicer;
  /** Parts that nobody has taken yet. */
  readonly #waiting: OpenPart[] = [];
  #fields = 0;
  #files = 0;
  /** The size of all field values together, in bytes. */
  #valueSize = 0;
  /** Whether the head of the last part is still missing. */
  #lacksHead = false;
  #error: Error | undefined;
  /** Whether the parser has reached the end of the form, and all parts have been read. */
  #isOver = false;
  /** Whether the parser is still processing a piece. */
  #isWriting = false;
  #hasPieces = true;
  /** Whether there was a parser event since the last wait. */
  #hasNews = false;
  #wake: (() => void) | undefined;

  constructor(pieces: AsyncIterable<Uint8Array>, dicer: Dicer, limits: FormLimits) {
    this.#pieces = pieces[Symbol.asyncIterator]();
    this.#limits = limits;
    this.#dicer = dicer;
    this.#dicer.on("part", (stream: Readable) => this.#partBegan(stream));
    this.#dicer.on("finish", () => {
      if (this.#lacksHead) this.#fail(broken("a part has no head"));
      this.#isOver = true;
      this.#tell();
    });
    // The parser has only this error.
    this.#dicer.on("error", () => this.#fail(broken("it has no end")));
  }

  /** The next part; `undefined` at the end. The previous one must have been read completely. */
  async next(): Promise<OpenPart | undefined> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const part = this.#waiting.shift();
      if (part !== undefined) return part;
      if (this.#isOver) return await this.#skipEpilogue();
      await this.#advance();
    }
  }

  async *contentOf(part: OpenPart): AsyncGenerator<Uint8Array, void, void> {
    const { stream } = part;
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const piece: unknown = stream.read();
      if (piece instanceof Uint8Array) {
        this.#count(part, piece);
        yield piece;
        continue;
      }
      // A stream emits its end one tick after it is found.
      await new Promise<void>((resolve) => process.nextTick(resolve));
      if (stream.readableEnded) return;
      if (stream.readableLength === 0) await this.#advance();
    }
  }

  async valueOf(part: OpenPart): Promise<string> {
    const gathered = new GatheredBytes();
    for await (const piece of this.contentOf(part)) gathered.add(piece);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(gathered.bytes());
  }

  async skipRest(part: OpenPart): Promise<void> {
    const rest = this.contentOf(part);
    while ((await rest.next()).done !== true);
  }

  async close(): Promise<void> {
    this.#dicer.destroy();
    await this.#pieces.return?.();
  }

  /** Data after the end has no meaning (RFC 2046 5.1.1), but the connection cannot be reused if it is left unread. */
  async #skipEpilogue(): Promise<undefined> {
    while ((await this.#pieces.next()).done !== true);
  }

  /** Gives the parser the next piece, or waits until it has processed the current one. */
  async #advance(): Promise<void> {
    if (this.#isWriting || !this.#hasPieces) {
      if (!this.#hasNews) await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#hasNews = false;
      return;
    }
    const next = await this.#pieces.next();
    if (next.done === true) {
      this.#hasPieces = false;
      this.#dicer.end();
      return;
    }
    this.#isWriting = true;
    this.#dicer.write(next.value, () => {
      this.#isWriting = false;
      this.#tell();
    });
  }

  #partBegan(stream: Readable): void {
    const tell = () => this.#tell();
    stream.on("readable", tell);
    stream.on("end", tell);
    // The parser reports errors to the part; forward them.
    stream.on("error", tell);
    if (this.#lacksHead) this.#fail(broken("a part has no head"));
    this.#lacksHead = true;
    stream.once("header", (fields: PartFields) => {
      this.#lacksHead = false;
      // After a failure, nobody takes the output.
      if (this.#error === undefined) this.#headCame(fields, stream);
      tell();
    });
  }

  #headCame(fields: PartFields, stream: Readable): void {
    const { maxPartHeadSize, maxFormFiles, maxFormFields, maxFormNameSize } = this.#limits;
    if (sizeOf(fields) > maxPartHeadSize)
      return this.#fail(tooLarge("the head of a part of a form", "maxPartHeadSize", maxPartHeadSize));
    const head = readPartHead(fields);
    if (typeof head === "string") return this.#fail(broken(head));
    const isFile = head.fileName !== undefined;
    if (isFile && ++this.#files > maxFormFiles) return this.#fail(tooMany("files", "maxFormFiles", maxFormFiles));
    if (!isFile && ++this.#fields > maxFormFields) return this.#fail(tooMany("fields", "maxFormFields", maxFormFields));
    if (Buffer.byteLength(head.name) > maxFormNameSize)
      return this.#fail(tooLarge("the name of a field", "maxFormNameSize", maxFormNameSize));
    this.#waiting.push({ head, stream, size: 0 });
  }

  #count(part: OpenPart, piece: Uint8Array): void {
    const { maxUploadFileSize = Infinity, maxFormValueSize, maxMemoryContentSize } = this.#limits;
    part.size += piece.length;
    if (part.head.fileName !== undefined) {
      if (part.size > maxUploadFileSize) throw tooLarge("a file of a form", "maxUploadFileSize", maxUploadFileSize);
      return;
    }
    this.#valueSize += piece.length;
    if (part.size > maxFormValueSize) throw tooLarge("the value of a field", "maxFormValueSize", maxFormValueSize);
    if (this.#valueSize > maxMemoryContentSize)
      throw tooLarge("what the fields of a form hold", "maxMemoryContentSize", maxMemoryContentSize);
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#tell();
  }

  #tell(): void {
    this.#hasNews = true;
    this.#wake?.();
  }
}

/** Loads the parser, which is a dozen modules, for the first form that needs it. */
async function makeParser(boundary: string, { maxPartHeadSize }: FormLimits): Promise<Dicer> {
  const { Dicer } = await import("@fastify/busboy");
  // The parser cuts heads at its limit without an error. Its limit is larger than ours, so that we detect heads that
  // are too large.
  const config: ConstructorParameters<typeof Dicer>[0] & { readonly maxHeaderSize: number } = {
    boundary,
    maxHeaderSize: maxPartHeadSize + 1024,
  };
  return new Dicer(config);
}

/** Includes separators between fields, and between names and values. */
function sizeOf(fields: PartFields): number {
  let size = 0;
  for (const [name, values = []] of Object.entries(fields))
    for (const value of values) size += name.length + value.length + 4;
  return size;
}

function broken(reason: string): ExchanError {
  return new ExchanError("HEMI_CONTENT_BROKEN", `the content of the request is no right multipart form: ${reason}`);
}

function tooLarge(what: string, prop: string, limit: number): ExchanError {
  return new ExchanError("HEMI_CONTENT_TOO_LARGE", `${what} is larger than the ${limit} bytes of ${prop}`);
}

function tooMany(what: string, prop: string, limit: number): ExchanError {
  return new ExchanError("HEMI_CONTENT_TOO_LARGE", `a form has more than the ${limit} ${what} of ${prop}`);
}
