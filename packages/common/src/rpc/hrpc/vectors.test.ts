// The test vectors of docs/hrpc.md: what is written is what they say, and what is read from them, too.

import { readUint32 } from "../bytes.ts";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { codeOfNumber, isRpcCode, rpcCodes } from "../codes.ts";
import { Metadata } from "../metadata.ts";
import { RpcError } from "../rpc-error.ts";
import { endFrame } from "./call-end.ts";
import { FrameReader } from "./frame-reader.ts";
import { frame, frameFlags, frameTypes, goAwayCodes, numberFrame, preface, type GoAwayCode } from "./frames.ts";
import { noCompression } from "./message-coding.ts";
import * as payloads from "./payloads.ts";
import { readCall } from "./received-call.ts";
import { SessionOutput } from "./session-output.ts";
import { sendCallWith } from "./single-frames.ts";

type Pairs = readonly (readonly [string, string])[];

interface Vector {
  readonly name: string;
  readonly frame: keyof typeof frameTypes;
  readonly hex: string;
  readonly stream?: number;
  readonly flags?: number;
  readonly payload?: string;
  readonly settings?: payloads.PeerSettings;
  readonly path?: string;
  readonly timeout?: number;
  readonly codec?: "proto" | "json";
  readonly metadata?: Pairs;
  readonly details?: Pairs;
  readonly code?: number;
  readonly message?: string;
  readonly amount?: number;
  readonly lastStream?: number;
  readonly reason?: string;
}

const folder = new URL("../../../../../docs/", import.meta.url);
const file = JSON.parse(readFileSync(new URL("hrpc-vectors.json", folder), "utf8")) as {
  readonly preface: string;
  readonly vectors: readonly Vector[];
};

/** The frame of a vector, written by our code. */
function written(vector: Vector): Uint8Array {
  const { stream = 0, flags = 0, payload = "", code = 0, message = "", reason = "" } = vector;
  const metadata = Metadata.received(vector.metadata ?? []);
  switch (vector.frame) {
    case "settings":
      return payloads.settingsFrame(vector.settings!);
    case "call": {
      const timeout = vector.timeout === 0 ? Infinity : vector.timeout!;
      const head = { path: vector.path!, timeout, codec: vector.codec!, metadata };
      return (flags & frameFlags.last) === 0 ? payloads.callFrame(stream, head) : callWith(stream, head, payload);
    }
    case "headers":
      return payloads.headersFrame(stream, metadata);
    case "end": {
      const details = (vector.details ?? []).map(([type, hex]) => ({ type, value: Buffer.from(hex, "hex") }));
      const error = code === 0 ? undefined : new RpcError(codeOfNumber(code), message, { details });
      return endFrame(stream, { error, trailers: metadata }, flags === 0);
    }
    case "credit":
      return numberFrame(frameTypes.credit, stream, vector.amount!);
    case "goAway":
      return payloads.goAwayFrame(vector.lastStream!, code as GoAwayCode, reason);
    default:
      return frame(frameTypes[vector.frame], flags, stream, Buffer.from(payload));
  }
}

/** A CALL with its only message. */
function callWith(stream: number, head: payloads.CallHead, message: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  const carrier = {
    ...{ isBlocked: false, drained: () => Promise.resolve(), close: () => undefined, flushSoon: () => undefined },
    write: (bytes: Uint8Array) => void pieces.push(bytes),
  };
  const output = new SessionOutput(carrier, noCompression);
  expect(sendCallWith(output, stream, head, message)).toBe(true);
  output.stop();
  return Buffer.concat(pieces);
}

/** What our code reads from a payload, in the words of a vector. */
function read({ frame, flags = 0 }: Vector, payload: Uint8Array): Partial<Vector> {
  switch (frame) {
    case "settings":
      return { settings: payloads.readSettings(payload) };
    case "call": {
      const { head, only } = readCall(payload, flags);
      const { path, timeout, codec, metadata } = head;
      const message = only === undefined ? {} : { payload: Buffer.from(only).toString() };
      return { path, timeout: timeout === Infinity ? 0 : timeout, codec, metadata: [...metadata], ...message };
    }
    case "headers":
      return { metadata: [...payloads.readHeaders(payload)] };
    case "end": {
      const { error, trailers } = payloads.readEnd(payload, flags);
      const details = (error?.details ?? []).map(
        ({ type, value }) => [type, Buffer.from(value).toString("hex")] as const,
      );
      const code = isRpcCode(error?.code) ? rpcCodes[error.code] : 0;
      return { code, message: error?.message ?? "", details, metadata: [...trailers] };
    }
    case "credit":
      return { amount: readUint32(payload, 0) };
    case "goAway": {
      const { lastStreamId, code, reason } = payloads.readGoAway(payload);
      return { lastStream: lastStreamId, code, reason };
    }
    case "message":
    case "ping":
      return { payload: Buffer.from(payload).toString() };
    default:
      return {};
  }
}

function framesIn(
  bytes: Uint8Array,
  pieceSize: number,
): { type: number; flags: number; id: number; payload: Buffer }[] {
  const frames: ReturnType<typeof framesIn> = [];
  const reader = new FrameReader(65_536, (type, flags, id, payload) => {
    frames.push({ type, flags, id, payload: Buffer.from(payload) });
  });
  for (let at = 0; at < bytes.length; at += pieceSize) reader.push(bytes.subarray(at, at + pieceSize));
  expect(reader.isBetween).toBe(true);
  return frames;
}

test("the preface is the one of the vectors", () => {
  expect(Buffer.from(preface).toString("hex")).toBe(file.preface);
});

test.each(file.vectors)("a frame is written as its vector says: $name", (vector) => {
  expect(Buffer.from(written(vector)).toString("hex")).toBe(vector.hex);
});

test.each(file.vectors)("a frame is read as its vector says, in pieces of any size: $name", (vector) => {
  const bytes = Buffer.concat([preface, Buffer.from(vector.hex, "hex"), Buffer.from(vector.hex, "hex")]);
  for (let pieceSize = 1; pieceSize <= bytes.length; pieceSize++) {
    const frames = framesIn(bytes, pieceSize);
    expect(frames).toHaveLength(2);
    for (const { type, flags, id, payload } of frames) {
      expect({ type, flags, id }).toEqual({
        type: frameTypes[vector.frame],
        flags: vector.flags ?? 0,
        id: vector.stream ?? 0,
      });
      expect(vector).toMatchObject(read(vector, payload));
    }
  }
});

test("the vectors have each type of frame, and the page shows all of them", () => {
  expect(new Set(file.vectors.map(({ frame }) => frame))).toEqual(new Set(Object.keys(frameTypes)));
  const page = readFileSync(new URL("hrpc.md", folder), "utf8");
  for (const { name, hex } of file.vectors) expect(page).toMatch(new RegExp(`\\| ${name} +\\| \`${hex}\``));
  for (const code of Object.values(goAwayCodes)) expect(page).toMatch(new RegExp(`^\\| ${code} +\\| `, "m"));
});
