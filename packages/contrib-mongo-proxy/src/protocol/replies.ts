// Errors as clients of MongoDB get them, and what the proxy changes in the first messages of a connection.

import { deserialize, type Document, serialize } from "bson";
import { headSize, operations, ProtocolError, readHead, writeMessage } from "./messages.ts";
import { compressors, type Request } from "./requests.ts";

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
  return reply(request, { ok: 0, errmsg: text, code, codeName });
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
export function helloRequest({ requestId, operation, database, document }: Request): Buffer {
  const { speculativeAuthenticate: _, compression, ...rest } = read(document);
  const kept = Array.isArray(compression) ? compression.filter((name) => compressors.includes(String(name))) : [];
  const bytes = serialize({ ...rest, ...(kept.length > 0 && { compression: kept }) });
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
  const fields = Object.entries(read(message.subarray(before)));
  const kept = Object.fromEntries(fields.filter(([name]) => !aboutOthers.has(name)));
  return writeMessage(head, message.subarray(headSize, before), serialize(kept));
}

/** Numbers keep their types. */
function read(document: Buffer): Document {
  try {
    return deserialize(document, { promoteValues: false, bsonRegExp: true });
  } catch {
    throw new ProtocolError("something that is no document");
  }
}

/** What a member of a replica set tells of the others ("hello"). */
const aboutOthers: ReadonlySet<string> = new Set([
  ...["hosts", "passives", "arbiters", "primary", "me", "setName", "setVersion", "electionId", "tags"],
  ...["isreplicaset", "secondary", "passive", "arbiterOnly", "hidden", "lastWrite"],
]);
