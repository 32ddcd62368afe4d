// What the payloads of hrpc's frames say: settings, the beginning of a call, metadata, the end of a call, goodbye.

import { codeOfNumber, rpcCodes } from "../codes.ts";
import type { MessageCodec } from "../message-type.ts";
import { Metadata } from "../metadata.ts";
import { NotBegunError } from "../not-begun.ts";
import { RpcError, type ErrorDetail } from "../rpc-error.ts";
import { frameFlags, frameTypes, ProtocolFault, type GoAwayCode } from "./frames.ts";
import { PayloadReader, PayloadWriter } from "./payload-bytes.ts";

/** What each side may do, as the other one has said. */
export interface PeerSettings {
  /** Streams that are open at a time, of those that the receiver of the settings opens. */
  readonly maxStreams: number;
  /** Of each stream at its beginning, in bytes. */
  readonly credit: number;
  /** Of a payload, in bytes. */
  readonly maxFrameSize: number;
  /** The compressions that it takes: the flags `gzip` and `brotli`. */
  readonly codings: number;
}

/** What holds until a peer has said something else, which may only be more. */
export const initialSettings: PeerSettings = { maxStreams: 100, credit: 65_536, maxFrameSize: 16_384, codings: 0 };

/** The numbers of settings. Unknown ones are ignored. */
const settingIds: readonly [name: keyof PeerSettings, id: number][] = [
  ["maxStreams", 1],
  ["credit", 2],
  ["maxFrameSize", 3],
  ["codings", 4],
];

/** In bytes. */
const settingSize = 5;

/** The beginning of a call. */
export interface CallHead {
  /** `/shop.v1.Stock/find`. */
  readonly path: string;
  /** In ms; Infinity: none. */
  readonly timeout: number;
  readonly codec: MessageCodec;
  readonly metadata: Metadata;
}

/** The end of a call. */
export interface CallEnd {
  /** `undefined`: it went well. */
  readonly error: RpcError | undefined;
  readonly trailers: Metadata;
}

const frameWriter = new PayloadWriter();

/** A SETTINGS frame. */
export function settingsFrame(settings: PeerSettings): Uint8Array {
  const writer = beginFrame();
  for (const [name, id] of settingIds) {
    writer.byte(id);
    writer.uint32(settings[name]);
  }
  return finishFrame(frameTypes.settings, 0, 0);
}

/** Throws ProtocolFault for settings that are out of range. */
export function readSettings(payload: Uint8Array): PeerSettings {
  const reader = new PayloadReader(payload);
  const settings: { -readonly [Name in keyof PeerSettings]: number } = { ...initialSettings };
  for (let rest = payload.length; rest > 0; rest -= settingSize) {
    const id = reader.byte();
    const value = reader.uint32();
    for (const [name, known] of settingIds) if (known === id) settings[name] = value;
  }
  const { credit, maxFrameSize } = settings;
  const isSane =
    isWithin(credit, initialSettings.credit, maxCredit) &&
    isWithin(maxFrameSize, initialSettings.maxFrameSize, maxPayload);
  if (!isSane) throw new ProtocolFault(`settings are out of range: ${JSON.stringify(settings)}`);
  return settings;
}

/** The highest credit of a stream. */
export const maxCredit = 2 ** 31 - 1;

/** What the 24 bits of a length can tell, in bytes: of a larger payload, the rest would be read as other frames. */
const maxPayload = 2 ** 24 - 1;

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

/** The payload of a CALL frame, up to the message that it may have. */
export function writeCallHead(writer: PayloadWriter, { path, timeout, codec, metadata }: CallHead): void {
  writer.text(path);
  // 0 is none: a deadline that is over is one that ends at once.
  writer.number(timeout < Number.MAX_SAFE_INTEGER ? Math.max(1, Math.ceil(timeout)) : 0);
  writer.byte(codec === "proto" ? 0 : 1);
  writeMetadata(writer, metadata);
}

/** A CALL frame without a message. */
export function callFrame(streamId: number, head: CallHead): Uint8Array {
  const writer = beginFrame();
  writeCallHead(writer, head);
  return finishFrame(frameTypes.call, 0, streamId);
}

/** A HEADERS frame. */
export function headersFrame(streamId: number, metadata: Metadata): Uint8Array {
  const writer = beginFrame();
  writeMetadata(writer, metadata);
  return finishFrame(frameTypes.headers, 0, streamId);
}

/** Throws ProtocolFault. */
export function readHeaders(payload: Uint8Array): Metadata {
  const reader = new PayloadReader(payload);
  const metadata = readMetadata(reader);
  reader.end();
  return metadata;
}

/** An END frame that refuses a call: it has never begun. */
export function refusalFrame(streamId: number, reason: string): Uint8Array {
  const writer = beginFrame();
  writer.byte(rpcCodes.unavailable);
  writer.text(reason);
  // No details, and no metadata.
  writer.number(0);
  writer.number(0);
  return finishFrame(frameTypes.end, frameFlags.notBegun, streamId);
}

/** Throws ProtocolFault. */
export function readCredit(payload: Uint8Array): number {
  const reader = new PayloadReader(payload);
  const amount = reader.uint32();
  reader.end();
  return amount;
}

/** Throws ProtocolFault. */
export function readEnd(payload: Uint8Array, flags: number): CallEnd {
  const reader = new PayloadReader(payload);
  const code = reader.byte();
  const message = reader.text();
  const details: ErrorDetail[] = [];
  for (let count = reader.number(); count > 0; count--) {
    details.push({ type: reader.text(), value: new Uint8Array(reader.bytes()) });
  }
  const trailers = readMetadata(reader);
  reader.end();
  if (code === 0) return { error: undefined, trailers };
  const options = { details, metadata: trailers };
  const isBegun = (flags & frameFlags.notBegun) === 0;
  const error = isBegun
    ? new RpcError(codeOfNumber(code), message, options)
    : new NotBegunError(message, codeOfNumber(code), options);
  return { error, trailers };
}

/** A GOAWAY frame. `lastStreamId`: the last stream of the peer that is or was served. */
export function goAwayFrame(lastStreamId: number, code: GoAwayCode, reason: string): Uint8Array {
  const writer = beginFrame();
  writer.uint32(lastStreamId);
  writer.byte(code);
  writer.text(reason);
  return finishFrame(frameTypes.goAway, 0, 0);
}

/** Throws ProtocolFault. The code may be one of a later version. */
export function readGoAway(payload: Uint8Array): { lastStreamId: number; code: number; reason: string } {
  const reader = new PayloadReader(payload);
  return { lastStreamId: reader.uint32(), code: reader.byte(), reason: reader.text() };
}

/** Whether metadata is more than a peer takes. */
export function isTooMuch({ metadata }: { readonly metadata: Metadata }): boolean {
  return metadata.list.length > 2 * maxMetadata;
}

/** Metadata of a frame. More are not sent, and end the connection where they come. */
const maxMetadata = 256;

export function writeMetadata(writer: PayloadWriter, { list }: Metadata): void {
  writer.number(list.length / 2);
  for (const text of list) writer.text(text);
}

/**
 * `none`: what is returned where there are none. Names and values are checked like those of HTTP: a value with a line
 * end could become a field elsewhere.
 */
export function readMetadata(reader: PayloadReader, none = new Metadata()): Metadata {
  const count = reader.number();
  if (count === 0) return none;
  if (count > maxMetadata) {
    throw new ProtocolFault(`there are ${count} metadata, more than ${maxMetadata}`);
  }
  const entries: [string, string][] = [];
  for (let i = 0; i < count; i++) {
    const name = reader.text();
    const value = reader.text();
    if (!/^[0-9a-z_.-]+$/.test(name) || !/^[\x20-\x7e]*$/.test(value)) {
      throw new ProtocolFault(`metadata is malformed: ${JSON.stringify(name.slice(0, 40))}`);
    }
    entries.push([name, value]);
  }
  return Metadata.received(entries);
}

/** The writer for the payload of a frame, which `finishFrame` returns. */
export function beginFrame(): PayloadWriter {
  frameWriter.cut(0);
  frameWriter.head();
  return frameWriter;
}

/** The whole frame, whose payload was written. */
export function finishFrame(type: number, flags: number, streamId: number): Uint8Array {
  frameWriter.headAt(0, type, flags, streamId);
  return frameWriter.take();
}
