// The question that is put to a name server on behalf of clients.

import { randomInt } from "node:crypto";
import { dnssecOk, flags, headerSize, safeUdpSize, types } from "./codes.ts";
import type { ExpectedAnswer } from "./answer.ts";
import { lowered } from "./names.ts";

/** A message, and what its answer has to look like. */
export interface UpstreamQuery {
  readonly message: Buffer;
  readonly expected: ExpectedAnswer;
}

/** How a question is put. */
export interface QuestionTerms {
  readonly wantsDnssec: boolean;
  readonly isCheckingDisabled: boolean;
}

/**
 * Its id is random. Together with the random port of the socket, whoever wants to forge an answer has to guess both
 * (RFC 5452 4). What the client says about itself is not passed on (no client subnet, no cookies).
 */
export function upstreamQuery(question: Buffer, { wantsDnssec, isCheckingDisabled }: QuestionTerms): UpstreamQuery {
  const id = randomInt(65_536);
  const message = Buffer.alloc(headerSize + question.length + 11);
  message.writeUInt16BE(id, 0);
  message.writeUInt16BE(flags.recursionDesired | (isCheckingDisabled ? flags.checkingDisabled : 0), 2);
  message.writeUInt16BE(1, 4);
  message.writeUInt16BE(1, 10);
  question.copy(message, headerSize);
  const opt = headerSize + question.length;
  message.writeUInt16BE(types.OPT, opt + 1);
  message.writeUInt16BE(safeUdpSize, opt + 3);
  message.writeUInt32BE(wantsDnssec ? dnssecOk : 0, opt + 5);
  return { message, expected: { id, question: lowered(question, 0, question.length) } };
}
