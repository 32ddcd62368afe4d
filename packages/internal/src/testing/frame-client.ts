// For tests: a client that sends frames as it is told, right ones and wrong ones, and reads those that it gets.

import type { RawClient } from "./raw-client.ts";
import type { TestServer } from "./serve.ts";
import {
  errorName,
  frameFlag,
  frameHeaderSize,
  frameType,
  preface,
  readUint31,
  writeFrameHeader,
} from "../http2/frames.ts";
import { HpackDecoder } from "../http2/hpack/decoder.ts";
import { HpackEncoder, maxFieldSize } from "../http2/hpack/encoder.ts";

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

export interface StreamResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly interims: readonly Readonly<Record<string, string>>[];
  readonly text: string;
  readonly trailers: Readonly<Record<string, string>>;
}

type Fields = Readonly<Record<string, string>>;

/** A frame as bytes. The payload may be one number of four bytes. */
export function frame(type: number, flags: number, id: number, payload: Uint8Array | string | number = ""): Buffer {
  const body =
    typeof payload === "number"
      ? Buffer.from(payload.toString(16).padStart(8, "0"), "hex")
      : Buffer.from(typeof payload === "string" ? Buffer.from(payload, "latin1") : payload);
  const bytes = Buffer.alloc(frameHeaderSize + body.length);
  body.copy(bytes, writeFrameHeader(bytes, 0, body.length, type, flags, id));
  return bytes;
}

/** The payload of SETTINGS. */
export function settings(values: Readonly<Record<number, number>>): Buffer {
  const payload = Buffer.alloc(Object.keys(values).length * 6);
  let at = 0;
  for (const [id, value] of Object.entries(values))
    at = payload.writeUInt32BE(value, payload.writeUInt16BE(Number(id), at));
  return payload;
}

export class FrameClient {
  readonly raw: RawClient;
  readonly encoder = new HpackEncoder();
  readonly #decoder = new HpackDecoder();
  /** Frames that were read while others were looked for. */
  readonly #passed: Frame[] = [];

  constructor(raw: RawClient) {
    this.raw = raw;
  }

  /** Connects, and begins as a client does, with these settings. */
  static async connect(
    server: Pick<TestServer, "connect">,
    values: Readonly<Record<number, number>> = {},
  ): Promise<FrameClient> {
    const client = new FrameClient(await server.connect(["h2"]));
    client.send(
      preface,
      frame(frameType.settings, 0, 0, settings(values)),
      frame(frameType.settings, frameFlag.ack, 0),
    );
    return client;
  }

  send(...frames: Uint8Array[]): this {
    this.raw.send(Buffer.concat(frames));
    return this;
  }

  /** A header block. */
  block(fields: Fields | readonly string[]): Buffer {
    const list = Array.isArray(fields) ? (fields as readonly string[]) : Object.entries(fields).flat();
    let room = 16;
    for (let i = 0; i < list.length; i += 2) room += maxFieldSize(list[i] ?? "", list[i + 1] ?? "");
    const bytes = Buffer.alloc(room);
    let at = this.encoder.begin(bytes, 0);
    for (let i = 0; i < list.length; i += 2) at = this.encoder.write(list[i] ?? "", list[i + 1] ?? "", bytes, at);
    return bytes.subarray(0, at);
  }

  /** The head of a request that nothing follows, unless `isEnded` is false. */
  request(id: number, fields: Fields = {}, isEnded = true): Buffer {
    const all = { ":method": "GET", ":scheme": "http", ":path": "/", ":authority": "test.example", ...fields };
    const flags = frameFlag.endHeaders | (isEnded ? frameFlag.endStream : 0);
    return frame(frameType.headers, flags, id, this.block(all));
  }

  data(id: number, content: string | Uint8Array, isEnd = false): Buffer {
    return frame(frameType.data, isEnd ? frameFlag.endStream : 0, id, content);
  }

  /** A header block behind content. */
  trailers(id: number, fields: Fields): Buffer {
    return frame(frameType.headers, frameFlag.endHeaders | frameFlag.endStream, id, this.block(fields));
  }

  /** The next frame of any kind. */
  async next(): Promise<Frame> {
    const header = await this.raw.exactly(frameHeaderSize);
    const payload = Buffer.from(await this.raw.exactly(header.readUIntBE(0, 3)));
    return { type: header[3] ?? 0, flags: header[4] ?? 0, id: readUint31(header, 5), payload };
  }

  /** The next frame that is wanted; others are kept for those who look for them. */
  async nextOf(isWanted: (frame: Frame) => boolean): Promise<Frame> {
    const passed = this.#passed.find(isWanted);
    if (passed !== undefined) {
      this.#passed.splice(this.#passed.indexOf(passed), 1);
      return passed;
    }
    for (;;) {
      const next = await this.next();
      if (isWanted(next)) return next;
      this.#passed.push(next);
    }
  }

  /** For those who look for it later. */
  putBack(frame: Frame): void {
    this.#passed.unshift(frame);
  }

  /** Those of this type that have come while others were looked for. */
  passedOfType(type: number): Frame[] {
    return this.#passed.filter((frame) => frame.type === type);
  }

  nextOfType(type: number, id?: number): Promise<Frame> {
    return this.nextOf((frame) => frame.type === type && (id === undefined || frame.id === id));
  }

  /** The error code of the GOAWAY that comes. */
  async goaway(): Promise<string> {
    return errorName((await this.nextOfType(frameType.goaway)).payload.readUInt32BE(4));
  }

  /** The error code that a stream is reset with. Acknowledges PINGs that come before that: a server waits for it. */
  async reset(id: number): Promise<string> {
    for (;;) {
      const { type, payload } = await this.nextOf(
        (frame) => (frame.type === frameType.rstStream && frame.id === id) || isPing(frame),
      );
      if (type === frameType.rstStream) return errorName(payload.readUInt32BE(0));
      this.send(frame(frameType.ping, frameFlag.ack, 0, payload));
    }
  }

  /** Waits until the server has handled all that was sent so far. */
  async roundTrip(): Promise<void> {
    const payload = Buffer.from("12345678");
    this.send(frame(frameType.ping, 0, 0, payload));
    await this.nextOf(
      (frame) => frame.type === frameType.ping && (frame.flags & 1) === 1 && frame.payload.equals(payload),
    );
  }

  /** The next head of any stream. */
  async head(): Promise<{ readonly id: number; readonly isEnd: boolean; readonly headers: Fields }> {
    const { id, flags, payload } = await this.nextOfType(frameType.headers);
    return { id, isEnd: (flags & frameFlag.endStream) !== 0, headers: await this.#fields(payload, flags, id) };
  }

  /** The content of a stream up to its end. */
  async content(id: number): Promise<string> {
    const pieces: Buffer[] = [];
    for (;;) {
      const { flags, payload } = await this.nextOfType(frameType.data, id);
      pieces.push(payload);
      if ((flags & frameFlag.endStream) !== 0) return Buffer.concat(pieces).toString("latin1");
    }
  }

  /** Heads are decoded in the order in which they come, so that responses must be asked for in that order. */
  async response(id: number): Promise<StreamResponse> {
    const interims: Record<string, string>[] = [];
    let head: Record<string, string> | undefined;
    let trailers: Record<string, string> = {};
    const content: Buffer[] = [];
    for (let isEnd = false; !isEnd;) {
      const { type, flags, payload } = await this.nextOf(
        ({ type, id: other }) => other === id && (type === frameType.data || type === frameType.headers),
      );
      isEnd = (flags & frameFlag.endStream) !== 0;
      if (type === frameType.data) content.push(payload);
      else {
        const fields = await this.#fields(payload, flags, id);
        if (head !== undefined) trailers = fields;
        else if (fields[":status"]?.startsWith("1")) interims.push(fields);
        else head = fields;
      }
    }
    const { ":status": status = "", ...headers } = head ?? {};
    return { status: Number(status), headers, interims, text: Buffer.concat(content).toString(), trailers };
  }

  async #fields(payload: Buffer, flags: number, id: number): Promise<Record<string, string>> {
    const pieces = [payload];
    for (let last = flags; (last & frameFlag.endHeaders) === 0;) {
      const more = await this.nextOfType(frameType.continuation, id);
      pieces.push(more.payload);
      last = more.flags;
    }
    const bytes = Buffer.concat(pieces);
    const block = this.#decoder.decode(bytes, 0, bytes.length, { maxHeadSize: 1e6, maxFields: 1e4 });
    if (block === undefined || block.fault !== undefined)
      throw new Error(`the server sent a bad head: ${block?.fault}`);
    const fields: Record<string, string> = {};
    for (let i = 0; i < block.list.length; i += 2) fields[block.list[i] ?? ""] = block.list[i + 1] ?? "";
    return fields;
  }
}

function isPing({ type, flags }: Frame): boolean {
  return type === frameType.ping && (flags & frameFlag.ack) === 0;
}
