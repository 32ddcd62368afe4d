// An answer of a name server, as it is stored: which of its bytes change from client to client, and how long it lives.

import { flags, headerSize, rcodes, types } from "./codes.ts";
import { lowered, nameEnd } from "./names.ts";

/** An answer without EDNS. Its id and question are those of whoever asked first. */
export interface Answer {
  readonly message: Buffer;
  readonly questionEnd: number;
  readonly rcode: number;
  /** Where the lifetimes of its records are. */
  readonly ttlOffsets: readonly number[];
  /** How long it may be used, in seconds. 0: only for those who have asked for it. */
  readonly ttl: number;
  /** It does not fit into a datagram. */
  readonly isTruncated: boolean;
}

/** The question that an answer has to be about: as `lowered`, with type and class. */
export interface ExpectedAnswer {
  readonly id: number;
  readonly question: string;
}

/**
 * Reads what a name server has sent. `undefined`: it is malformed, or no answer to this question: it may be forged.
 *
 * Its lifetime is the shortest one of its answers. That of a negative one, whether the name or only the type does not
 * exist, is in the SOA record of its zone; without that, it is not stored (RFC 2308 5).
 */
export function readAnswer(message: Buffer, expected: ExpectedAnswer): Answer | undefined {
  const questionEnd = headerSize + expected.question.length;
  if (message.length < questionEnd || message.readUInt16BE(0) !== expected.id) return undefined;
  const given = message.readUInt16BE(2);
  const isResponse = (given & (flags.response | flags.opcode)) === flags.response;
  if (!isResponse || message.readUInt16BE(4) !== 1) return undefined;
  if (lowered(message, headerSize, questionEnd) !== expected.question) return undefined;
  const isTruncated = (given & flags.truncated) !== 0;
  const records = readRecords(message, questionEnd);
  if (records === undefined) {
    // Some servers cut a message in the middle of a record.
    return isTruncated ? cutShort(message, questionEnd) : undefined;
  }
  const rcode = given & flags.rcode;
  const isPositive = rcode === rcodes.noError && records.answers > 0;
  const isNegative = (rcode === rcodes.noError && !isPositive) || rcode === rcodes.noSuchName;
  let ttl = 0;
  if (isPositive && !isTruncated) ttl = Math.min(records.ttl, records.negativeTtl ?? Infinity);
  else if (isNegative && !isTruncated) ttl = Math.min(records.ttl, records.negativeTtl ?? 0);
  return { message: records.message, questionEnd, rcode, ttlOffsets: records.ttlOffsets, ttl, isTruncated };
}

function cutShort(message: Buffer, questionEnd: number): Answer {
  const head = Buffer.from(message.subarray(0, questionEnd));
  head.fill(0, 6, headerSize);
  return { message: head, questionEnd, rcode: rcodes.noError, ttlOffsets: [], ttl: 0, isTruncated: true };
}

interface Records {
  /** Without EDNS, and what stands behind it: additional records are not needed by anyone. */
  readonly message: Buffer;
  readonly ttlOffsets: readonly number[];
  /** Of the answers; Infinity without one. */
  readonly ttl: number;
  /** Of the SOA record among the authorities: its own lifetime, and the one for what does not exist. */
  readonly negativeTtl: number | undefined;
  readonly answers: number;
}

function readRecords(message: Buffer, start: number): Records | undefined {
  const answers = message.readUInt16BE(6);
  const authorities = message.readUInt16BE(8);
  const count = answers + authorities + message.readUInt16BE(10);
  const ttlOffsets: number[] = [];
  let ttl = Infinity;
  let negativeTtl: number | undefined;
  let at = start;
  for (let i = 0; i < count; i++) {
    const fixed = nameEnd(message, at, true);
    if (fixed < 0 || fixed + 10 > message.length) return undefined;
    const type = message.readUInt16BE(fixed);
    if (type === types.OPT && i >= answers + authorities) return withoutRest(i);
    const end = fixed + 10 + message.readUInt16BE(fixed + 8);
    if (end > message.length) return undefined;
    const own = lifetime(message.readUInt32BE(fixed + 4));
    ttlOffsets.push(fixed + 4);
    if (i < answers) ttl = Math.min(ttl, own);
    else if (type === types.SOA && i < answers + authorities && end - fixed >= 14) {
      // Its last field is the lifetime of what does not exist.
      negativeTtl = Math.min(own, lifetime(message.readUInt32BE(end - 4)));
    }
    at = end;
  }
  return withoutRest(count);

  function withoutRest(left: number): Records {
    const kept = Buffer.from(message.subarray(0, at));
    kept.writeUInt16BE(left - answers - authorities, 10);
    return { message: kept, ttlOffsets, ttl, negativeTtl, answers };
  }
}

/** A number with the highest bit is 0 (RFC 2181 8). */
function lifetime(seconds: number): number {
  return seconds > 0x7fffffff ? 0 : seconds;
}
