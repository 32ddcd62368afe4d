// Memory for large pieces of content that are passed on, from when they are read until they have been written.
//
//   node ── read ──> block ── written ──> client
//                      └──── given back ────┘       or left to the collector, by who keeps the piece

import { Buffer } from "node:buffer";
import { BlockPool } from "./block-pool.ts";
import { readSize } from "./shared-buffer.ts";

/** No prop: 4 MiB in all. More serve a burst, and are left to the collector after it. */
const maxSpare = 64;

/** Blocks of `readSize`. One that is never given back costs no more than fresh memory. */
export const readBlocks = new BlockPool<Buffer>({ make: () => Buffer.allocUnsafeSlow(readSize), maxSpare });
