// Errors as clients of MongoDB get them, and what the proxy changes in the first messages of a connection.

import { type Document, serialize } from "bson";
import { documentLength, documentOf, fieldsIn, fieldsOf, named, textOf } from "./fields.ts";
import { headSize, operations, readHead, writeMessage } from "./messages.ts";
import { compressors, decompressedBody } from "./compression.ts";
import type { Request } from "./requests.ts";

/** Number and name of errors of the proxy ("Error Codes"). */
export const errors = {
  hostUnreachable: [6, "HostUnreachable"],
  failedToParse: [9, "FailedToParse"],
  unauthorized: [13, "Unauthorized"],
  illegalOperation: [20, "IllegalOperation"],
} as const satisfies Readonly<Record<string, readonly [code: number, name: string]>>;

export type ErrorName = keyof typeof errors;

/** The reply to a request that has failed. */
export function errorReply(request: Pick<Request, "requestId" | "operation">, name: ErrorName, text: string): Buffer {
  const [code, codeName] = errors[name];
  // Names that a client has made up may be of any length.
  return reply(request, { ok: 0, errmsg: text.slice(0, maxErrorText), code, codeName });
}

/** The reply to a request. */
export function reply({ requestId, operation }: Pick<Request, "requestId" | "operation">, document: Document): Buffer {
  const head = { requestId: 0, responseTo: requestId };
  const bytes = serialize(document);
  if (operation === operations.message) return writeMessage({ ...head, operation }, Buffer.alloc(5), bytes);
  // Flags, a cursor, the place of the first document, and the number of documents.
  const before = Buffer.alloc(20);
  before.writeInt32LE(8, 0);
  before.writeInt32LE(1, 16);
  return writeMessage({ ...head, operation: operations.reply }, before, bytes);
}

/** Whether a command begins a connection: the server tells what it is and what it can do. */
export function isHello(command: string): boolean {
  return ["hello", "ismaster"].includes(command.toLowerCase());
}

/**
 * The first message of a client, as servers get it: it may not agree on a compression that the proxy cannot read, nor
 * log in at a server before its database is known, nor ask for more than one reply.
 */
export function helloRequest({ requestId, operation, database, fields }: Request): Buffer {
  // Field by field, as they are: nothing that a client puts into them is looked at.
  const kept = fields.filter(({ name }) => name !== "speculativeAuthenticate" && name !== "compression");
  const offered = fieldsIn(named(fields, "compression")).map((field) => textOf(field) ?? "");
  const compression = offered.filter((name) => compressors.includes(name));
  const added = compression.length === 0 ? [] : fieldsOf(Buffer.from(serialize({ compression })));
  const bytes = documentOf([...kept, ...added]);
  const head = { requestId, responseTo: 0, operation };
  if (operation === operations.message) return writeMessage(head, Buffer.alloc(5), bytes);
  const count = Buffer.alloc(8);
  count.writeInt32LE(-1, 4);
  return writeMessage(head, Buffer.alloc(4), Buffer.from(`${database}.$cmd\0`), count, bytes);
}

/** The reply to it: clients that learn of other servers would go round the proxy. Throws a ProtocolError. */
export function helloReply(message: Buffer): Buffer {
  const head = readHead(message);
  const before = headSize + (head.operation === operations.message ? 5 : 20);
  const kept = fieldsOf(message.subarray(before)).filter(({ name }) => !aboutOthers.has(name));
  return writeMessage(head, message.subarray(headSize, before), documentOf(kept));
}

/** Whether the server has done what it was asked. `maxSize`: of a reply that is compressed. Throws a ProtocolError. */
export function hasSucceeded(message: Buffer, maxSize: number): boolean {
  const { operation } = readHead(message);
  const whole = message.subarray(headSize);
  const body = operation === operations.compressed ? decompressedBody(whole, maxSize) : whole;
  const start = operation === operations.reply ? 20 : 5;
  const document = body.subarray(start, start + documentLength(body, start));
  const ok = named(fieldsOf(document), "ok");
  // A number of any type, or a boolean.
  return ok?.bytes.subarray(ok.start, ok.start + ok.length).some((byte) => byte !== 0) === true;
}

/** What a member of a replica set tells of the others ("hello"). */
const aboutOthers: ReadonlySet<string> = new Set([
  ...["hosts", "passives", "arbiters", "primary", "me", "setName", "setVersion", "electionId", "tags"],
  ...["isreplicaset", "secondary", "passive", "arbiterOnly", "hidden", "lastWrite"],
]);

/** In letters. Not a prop. */
const maxErrorText = 1000;
