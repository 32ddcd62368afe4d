// Compression of messages: the codings that RPC clients use.

import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants, gunzip, gzip } from "node:zlib";
import { zlibTurns } from "@hemi/common";
import { RpcError, tooLarge } from "@hemi/common/rpc";
import { parseWeights } from "../http/accept.ts";

/** Compresses whole messages, off the event loop. */
export interface MessageCoding {
  /** As fields name it: `gzip`. */
  readonly name: string;
  compress(message: Uint8Array): Promise<Uint8Array>;
  /** `maxSize` of the result, in bytes. */
  decompress(bytes: Uint8Array, maxSize: number): Promise<Uint8Array>;
}

const run = {
  gzip: promisify(gzip),
  gunzip: promisify(gunzip),
  brotliCompress: promisify(brotliCompress),
  brotliDecompress: promisify(brotliDecompress),
};

const brotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 2 } };

/** The best one first: small messages are compressed for each call, so that speed counts. */
const codings: readonly MessageCoding[] = [
  {
    name: "gzip",
    compress: (message) => zlibTurns.run(() => run.gzip(message, { level: 1 })),
    decompress: (bytes, maxSize) => decompressed(() => run.gunzip(bytes, { maxOutputLength: maxSize }), maxSize),
  },
  {
    name: "br",
    compress: (message) => zlibTurns.run(() => run.brotliCompress(message, brotliOptions)),
    decompress: (bytes, maxSize) =>
      decompressed(() => run.brotliDecompress(bytes, { maxOutputLength: maxSize }), maxSize),
  },
];

/** For fields such as `grpc-accept-encoding`. */
export const acceptedCodings = codings.map(({ name }) => name).join(",");

/**
 * The coding of a field such as `grpc-encoding`; `undefined` for none. Throws RpcError `unimplemented` for an unknown
 * one.
 */
export function codingNamed(name: string | undefined): MessageCoding | undefined {
  if (name === undefined || name === "" || name === "identity") return undefined;
  const found = codings.find((coding) => coding.name === name);
  if (found === undefined) {
    throw new RpcError("unimplemented", `messages cannot be compressed by ${name}, only by ${acceptedCodings}`);
  }
  return found;
}

/** The best coding that a field such as `grpc-accept-encoding` accepts. */
export function codingAccepted(accepted: string | undefined): MessageCoding | undefined {
  if (accepted === undefined || accepted === "identity") return undefined;
  const weights = parseWeights(accepted);
  return codings.find((coding) => weights.some(({ name, weight }) => name === coding.name && weight > 0));
}

async function decompressed(decompress: () => Promise<Uint8Array>, maxSize: number): Promise<Uint8Array> {
  try {
    return await zlibTurns.run(decompress);
  } catch (error) {
    const isBomb = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    if (isBomb) throw tooLarge(undefined, maxSize);
    throw new RpcError("invalid_argument", "a message cannot be decompressed");
  }
}
