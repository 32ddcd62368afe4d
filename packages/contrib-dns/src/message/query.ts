// What a client asks (RFC 1035 4.1, RFC 6891).

import { dnssecOk, flags, headerSize, internet, isMetaType, plainUdpSize, rcodes, types } from "./codes.ts";
import { lowered, nameEnd } from "./names.ts";

/** One question, as it came. */
export interface Query {
  /** The whole message. */
  readonly message: Buffer;
  readonly id: number;
  readonly flags: number;
  /** The question stands between `headerSize` and this. */
  readonly questionEnd: number;
  /** In the form of `lowered`. */
  readonly name: string;
  readonly type: number;
  /** `undefined`: the client does not know EDNS. */
  readonly edns: Edns | undefined;
}

/** What a client has said about itself. */
export interface Edns {
  /** How much it can receive in a datagram; 512 at least. */
  readonly udpSize: number;
  /** Whether it wants signatures. */
  readonly wantsDnssec: boolean;
}

/** A query, or what to answer instead, or `undefined` for what is not to be answered at all: a response, or noise. */
export type ReadQuery = { readonly query: Query; readonly refusal?: number } | { readonly reply: Buffer } | undefined;

/**
 * Reads a message of a client. A response is never answered, or two servers would answer each other for ever.
 * `refusal`: the result to answer with, because it is not a question about records of the Internet.
 */
export function readQuery(message: Buffer): ReadQuery {
  if (message.length < headerSize) return undefined;
  const given = message.readUInt16BE(2);
  if ((given & flags.response) !== 0) return undefined;
  if ((given & flags.opcode) !== 0) return { reply: bareReply(message, rcodes.notImplemented) };
  const isOne = message.readUInt16BE(4) === 1 && message.readUInt32BE(6) === 0;
  const nameEndAt = isOne ? nameEnd(message, headerSize, false) : -1;
  const questionEnd = nameEndAt + 4;
  if (nameEndAt < 0 || questionEnd > message.length) return { reply: bareReply(message, rcodes.formatError) };
  const additional = readAdditional(message, questionEnd, message.readUInt16BE(10));
  if (additional === "malformed") return { reply: bareReply(message, rcodes.formatError) };
  const type = message.readUInt16BE(nameEndAt);
  const query: Query = {
    message,
    id: message.readUInt16BE(0),
    flags: given,
    questionEnd,
    name: lowered(message, headerSize, nameEndAt),
    type,
    edns: additional?.edns,
  };
  if (additional !== undefined && additional.version > 0) return { query, refusal: rcodes.badVersion };
  const isServed = message.readUInt16BE(nameEndAt + 2) === internet && !isMetaType(type) && type !== types.OPT;
  return isServed ? { query } : { query, refusal: rcodes.refused };
}

/** The question of a query, whose letters are as the client has written them. */
export function questionOf({ message, questionEnd }: Query): Buffer {
  return message.subarray(headerSize, questionEnd);
}

/** Header only: for messages of which no more can be understood. */
function bareReply(message: Buffer, rcode: number): Buffer {
  const reply = Buffer.alloc(headerSize);
  message.copy(reply, 0, 0, 4);
  const kept = message.readUInt16BE(2) & (flags.opcode | flags.recursionDesired);
  reply.writeUInt16BE(flags.response | kept | rcode, 2);
  return reply;
}

/** EDNS stands in the additional section, once (RFC 6891 6.1.1). Other records there, such as TSIG, are ignored. */
function readAdditional(
  message: Buffer,
  start: number,
  count: number,
): { readonly edns: Edns; readonly version: number } | undefined | "malformed" {
  let found: { readonly edns: Edns; readonly version: number } | undefined;
  let at = start;
  for (let i = 0; i < count; i++) {
    const fixed = nameEnd(message, at, true);
    if (fixed < 0 || fixed + 10 > message.length) return "malformed";
    const end = fixed + 10 + message.readUInt16BE(fixed + 8);
    if (end > message.length) return "malformed";
    if (message.readUInt16BE(fixed) === types.OPT) {
      if (found !== undefined || fixed !== at + 1) return "malformed";
      const udpSize = Math.max(message.readUInt16BE(fixed + 2), plainUdpSize);
      const wantsDnssec = (message.readUInt16BE(fixed + 6) & dnssecOk) !== 0;
      found = { edns: { udpSize, wantsDnssec }, version: message.readUInt8(fixed + 5) };
    }
    at = end;
  }
  return found;
}
