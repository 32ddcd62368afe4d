// Compression of messages, as a session uses it. Browsers have none; Node.js has gzip and Brotli.

import type { ReceivedMessage } from "./inbox.ts";
import { RpcError } from "../rpc-error.ts";

/** Compresses whole messages. */
export interface MessageCompression {
  /** The flags of those that it knows. */
  readonly codings: number;
  /** Messages below this size are never compressed, in bytes. */
  readonly minSize: number;
  /** `undefined`: not worth it. `accepted`: the flags of those that the peer takes. */
  compress(message: Uint8Array, accepted: number): Promise<ReceivedMessage> | undefined;
  /** `maxSize` of the result, in bytes. Rejects with RpcError. */
  decompress(message: ReceivedMessage, maxSize: number): Promise<Uint8Array>;
}

/** Neither compresses nor takes what is compressed. */
export const noCompression: MessageCompression = {
  codings: 0,
  minSize: Infinity,
  compress: () => undefined,
  decompress: () => Promise.reject(new RpcError("unimplemented", "messages must not be compressed")),
};
