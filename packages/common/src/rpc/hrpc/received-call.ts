// A CALL as it came, with the message that it may have.

import { Metadata } from "../metadata.ts";
import { frameFlags, ProtocolFault } from "./frames.ts";
import { readMetadata, type CallHead } from "./payloads.ts";
import { PayloadReader } from "./payload-bytes.ts";
import { TextMemo } from "./text-memo.ts";

export interface ReceivedCall {
  readonly head: CallHead;
  /** The only message, if it stands in the frame. It is valid as long as the payload is. */
  readonly only: Uint8Array | undefined;
}

/** Nothing of it is sent, and nobody adds to it. */
const noMetadata = new Metadata();

/** Metadata that is empty is one object for all calls: nobody may add to it. Throws ProtocolFault. */
export function readCall(payload: Uint8Array, flags: number): ReceivedCall {
  const reader = new PayloadReader(payload);
  const path = likelyText(reader);
  const timeout = reader.number();
  const codec = reader.byte();
  if (codec > 1) throw new ProtocolFault(`a call has the unknown codec ${codec}`);
  const metadata = readMetadata(reader, noMetadata);
  const only = (flags & frameFlags.last) === 0 ? undefined : reader.rest();
  reader.end();
  const head: CallHead = {
    path,
    timeout: timeout === 0 ? Infinity : timeout,
    codec: codec === 0 ? "proto" : "json",
    metadata,
  };
  return { head, only };
}

const paths = new TextMemo();

/** A text that is likely to have come before. */
function likelyText(reader: PayloadReader): string {
  const bytes = reader.bytes();
  return paths.find(bytes) ?? paths.keep(bytes, reader.decoded(bytes));
}
