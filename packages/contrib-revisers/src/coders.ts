// Calls of zlib: one synchronous call for small contents, a stream for others.

import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import type { Coding } from "@hemi/internal";

const {
  BROTLI_OPERATION_FLUSH,
  BROTLI_PARAM_LGWIN,
  BROTLI_PARAM_QUALITY,
  BROTLI_PARAM_SIZE_HINT,
  ZSTD_c_compressionLevel,
  ZSTD_c_windowLog,
  ZSTD_e_flush,
  Z_SYNC_FLUSH,
} = zlib.constants;

/** A stream of zlib: what is written to it can be flushed. */
export type Encoder = Transform & { flush(kind: number, done: () => void): void };

export interface Coder {
  /** Blocks meanwhile: for small contents. */
  encode(content: Uint8Array, level: number): Buffer;
  /** A stream. */
  stream(level: number): Encoder;
  /** Makes `flush` of such a stream give all that was written, so that it can be read. */
  readonly flushKind: number;
}

/**
 * 256 KiB, for brotli and zstd: more makes little smaller in answers, and each stream holds as much and more. Browsers
 * take up to 8 MiB of zstd (RFC 9659).
 */
const windowBits = 18;

export const coders: Readonly<Record<Coding, Coder>> = {
  gzip: {
    encode: (content, level) =>
      zlib.gzipSync(content, { level, windowBits: gzipWindowBits(content.length), chunkSize: chunkSizeFor(content) }),
    stream: (level) => zlib.createGzip({ level }),
    flushKind: Z_SYNC_FLUSH,
  },
  br: {
    encode: (content, level) =>
      zlib.brotliCompressSync(content, {
        params: {
          [BROTLI_PARAM_QUALITY]: level,
          [BROTLI_PARAM_LGWIN]: windowBits,
          [BROTLI_PARAM_SIZE_HINT]: content.length,
        },
        chunkSize: chunkSizeFor(content),
      }),
    stream: (level) =>
      zlib.createBrotliCompress({ params: { [BROTLI_PARAM_QUALITY]: level, [BROTLI_PARAM_LGWIN]: windowBits } }),
    flushKind: BROTLI_OPERATION_FLUSH,
  },
  zstd: {
    encode: (content, level) =>
      zlib.zstdCompressSync(content, {
        params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_windowLog]: windowBits },
        chunkSize: chunkSizeFor(content),
      }),
    stream: (level) =>
      zlib.createZstdCompress({ params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_windowLog]: windowBits } }),
    flushKind: ZSTD_e_flush,
  },
};

/** A window that the content just fits in: there is less to set up. 9 is the smallest that gzip can be told. */
function gzipWindowBits(size: number): number {
  return Math.min(15, Math.max(9, Math.ceil(Math.log2(size + 262))));
}

/**
 * In bytes, of a piece of memory for what is made. Half of the content: most becomes smaller than that. For pages of a
 * few KiB an eighth, although some are joined of several pieces then: all memory that is taken counts as external until
 * it is collected, and so much for each response brings on collections of the whole heap.
 */
function chunkSizeFor({ length }: Uint8Array): number {
  return Math.max(1024, length <= 16 * 1024 ? length >> 3 : length >> 1);
}
