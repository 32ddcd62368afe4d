// Puts the answers of a name server behind our own CNAME records.

import { decode, encode } from "dns-packet";
import { headerSize } from "../message/codes.ts";
import type { Answer } from "../message/answer.ts";

/**
 * `own` has the CNAME records that lead to the question of `other`. Only the answers of the latter are taken, because
 * what stands behind them is about another name. Names in them are written anew, without compression.
 */
export function joinedAnswer(own: Answer, other: Answer, age: number): Answer {
  const { answers = [] } = decode(other.message);
  const encoded = answers.map((each) => {
    const aged = "ttl" in each && each.ttl !== undefined ? { ...each, ttl: Math.max(0, each.ttl - age) } : each;
    return encode({ type: "response", answers: [aged] }).subarray(headerSize);
  });
  const message = Buffer.concat([own.message, ...encoded]);
  message.writeUInt16BE(own.message.readUInt16BE(6) + encoded.length, 6);
  message.writeUInt16BE((own.message.readUInt16BE(2) & ~0xf) | other.rcode, 2);
  return { ...own, message, rcode: other.rcode };
}
