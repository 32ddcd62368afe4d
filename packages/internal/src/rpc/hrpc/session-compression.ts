// Compression of messages on sessions of hrpc: the codings of message-codings.ts by their flags.

import { frameFlags, RpcError, type MessageCompression, type ReceivedMessage } from "@hemi/common/rpc";
import { codingNamed, type MessageCoding } from "../message-codings.ts";

/** Read at each message: live. */
export interface CompressionSettings {
  readonly compress: boolean;
  /** In bytes. */
  readonly minCompressedSize: number;
}

const codings: readonly { readonly flag: number; readonly coding: MessageCoding | undefined }[] = [
  { flag: frameFlags.gzip, coding: codingNamed("gzip") },
  { flag: frameFlags.brotli, coding: codingNamed("br") },
];

export function sessionCompression(settings: CompressionSettings): MessageCompression {
  return {
    codings: frameFlags.gzip | frameFlags.brotli,
    get minSize() {
      return settings.compress ? settings.minCompressedSize : Infinity;
    },
    compress(message, accepted) {
      const found = codings.find(({ flag }) => (flag & accepted) !== 0);
      if (found?.coding === undefined) return undefined;
      const { flag, coding } = found;
      return coding.compress(message).then((bytes): ReceivedMessage => ({ bytes, coding: flag }));
    },
    decompress({ bytes, coding }, maxSize) {
      const found = codings.find(({ flag }) => flag === coding);
      if (found?.coding === undefined)
        return Promise.reject(new RpcError("invalid_argument", "a message is compressed twice"));
      return found.coding.decompress(bytes, maxSize);
    },
  };
}
