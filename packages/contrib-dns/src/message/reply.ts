// What a client gets: an answer with the id and the letters of its question, its lifetimes counted down.

import { dnssecOk, flags, headerSize, safeUdpSize, types } from "./codes.ts";
import type { Answer } from "./answer.ts";
import type { Query } from "./query.ts";

/** How an answer is given to one client. */
export interface ReplyTerms {
  /** The number of bytes that the client can take; a longer reply is truncated, so that it asks again over TCP. */
  readonly limit: number;
  /** How long the answer has been stored, in seconds. */
  readonly age: number;
  /** The longest lifetime that the client is told, in seconds. */
  readonly maxTtl: number;
}

/** The reply to a query. */
export function replyTo(query: Query, answer: Answer, { limit, age, maxTtl }: ReplyTerms): Buffer {
  const { message, questionEnd, ttlOffsets } = answer;
  const size = message.length + (query.edns === undefined ? 0 : optSize);
  if (answer.isTruncated || size > limit) return headOnly(query, answer.rcode, flags.truncated);
  const reply = Buffer.allocUnsafe(size);
  message.copy(reply);
  // The letters of the question are as the client has written them: names that point at it have them, too.
  query.message.copy(reply, headerSize, headerSize, questionEnd);
  reply.writeUInt16BE(query.id, 0);
  const given = message.readUInt16BE(2) & (flags.authoritative | flags.authentic | flags.rcode);
  reply.writeUInt16BE(replyFlags(query) | withoutUnasked(given, query), 2);
  for (const offset of ttlOffsets) {
    reply.writeUInt32BE(Math.max(0, Math.min(message.readUInt32BE(offset), maxTtl) - age), offset);
  }
  if (query.edns !== undefined) writeOpt(reply, message.length, query.edns.wantsDnssec, 0);
  return reply;
}

/** A reply that has no records: a failure, a refusal, or a hint to come over TCP. */
export function headOnly(query: Query, rcode: number, extraFlags = 0): Buffer {
  const { questionEnd, edns } = query;
  const reply = Buffer.alloc(questionEnd + (edns === undefined ? 0 : optSize));
  query.message.copy(reply, 0, 0, questionEnd);
  reply.writeUInt16BE(replyFlags(query) | extraFlags | (rcode & flags.rcode), 2);
  reply.fill(0, 6, headerSize);
  if (edns !== undefined) writeOpt(reply, questionEnd, edns.wantsDnssec, rcode >> 4);
  return reply;
}

/** The shortest lifetime of the records of a reply, in seconds; 0 without one. For caches of HTTP (RFC 8484 5.1). */
export function lifetimeOf({ ttl, ttlOffsets }: Answer, { age, maxTtl }: Omit<ReplyTerms, "limit">): number {
  return ttlOffsets.length === 0 ? 0 : Math.max(0, Math.min(ttl, maxTtl) - age);
}

function replyFlags(query: Query): number {
  const kept = query.flags & (flags.recursionDesired | flags.checkingDisabled);
  return flags.response | flags.recursionAvailable | kept;
}

/** Whether it was verified is told to those who understand that (RFC 6840 5.8). */
function withoutUnasked(given: number, query: Query): number {
  const asksForIt = query.edns?.wantsDnssec === true || (query.flags & flags.authentic) !== 0;
  return asksForIt ? given : given & ~flags.authentic;
}

function writeOpt(reply: Buffer, at: number, wantsDnssec: boolean, rcodeHigh: number): void {
  reply.writeUInt8(0, at);
  reply.writeUInt16BE(types.OPT, at + 1);
  reply.writeUInt16BE(safeUdpSize, at + 3);
  reply.writeUInt32BE((rcodeHigh << 24) | (wantsDnssec ? dnssecOk : 0), at + 5);
  reply.writeUInt16BE(0, at + 9);
  reply.writeUInt16BE(reply.readUInt16BE(10) + 1, 10);
}

const optSize = 11;
