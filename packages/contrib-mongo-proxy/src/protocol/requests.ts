// What a client asks: a command for a database, by OP_MSG, by OP_QUERY for the first one, compressed or not.

import { decompressedBody } from "./compression.ts";
import { documentLength, type Field, fieldsOf, named, textOf } from "./fields.ts";
import { headSize, operations, ProtocolError, readHead } from "./messages.ts";

export interface Request {
  readonly requestId: number;
  readonly operation: typeof operations.query | typeof operations.message;
  /** As in the first field of its document. */
  readonly command: string;
  readonly database: string;
  readonly fields: readonly Field[];
  /** Its document. */
  readonly document: Buffer;
  /** Documents that stand outside of it ("Kind 1"), one behind the other, by the names of their fields. */
  readonly sequences: ReadonlyMap<string, Buffer>;
  /** OP_MSG only: see `messageFlags`. */
  readonly flags: number;
}

/** `moreToCome`: no reply is wanted. */
export const messageFlags = { checksum: 1, moreToCome: 2 } as const;

/** Reads a whole message. `maxInflated`: in bytes, of one that is compressed. Throws a ProtocolError. */
export function readRequest(message: Buffer, maxInflated: number): Request {
  const { requestId, operation } = readHead(message);
  const body = message.subarray(headSize);
  switch (operation) {
    case operations.message:
      return readMessage(requestId, body);
    case operations.query:
      return readQuery(requestId, body);
    case operations.compressed:
      return readMessage(requestId, decompressedBody(body, maxInflated));
    default:
      throw new ProtocolError(`the operation ${operation}, which is not spoken any more`);
  }
}

function readMessage(requestId: number, body: Buffer): Request {
  if (body.length < 4) throw new ProtocolError("a message that is too short");
  const flags = body.readUInt32LE(0);
  // Unknown ones among the first 16 change what a message means.
  if ((flags & 0xfffc) !== 0) throw new ProtocolError("a message with unknown flags");
  const end = body.length - ((flags & messageFlags.checksum) === 0 ? 0 : 4);
  const sequences = new Map<string, Buffer>();
  let document: Buffer | undefined;
  for (let at = 4; at < end;) {
    const kind = body[at++];
    const rest = body.subarray(at, end);
    if (kind === 0) {
      if (document !== undefined) throw new ProtocolError("a message with two documents");
      document = rest.subarray(0, documentLength(rest));
      at += document.length;
    } else if (kind === 1) at += readSequence(rest, sequences);
    else throw new ProtocolError("a message with a section of an unknown kind");
  }
  if (document === undefined) throw new ProtocolError("a message without a document");
  const fields = fieldsOf(document);
  const databases = fields.filter(({ name }) => name === "$db");
  const database = textOf(databases[0]);
  if (database === undefined || databases.length > 1) throw new ProtocolError("a command without one database");
  const command = fields[0]?.name ?? "";
  return { requestId, operation: operations.message, command, database, fields, document, sequences, flags };
}

/** Returns its length. */
function readSequence(bytes: Buffer, sequences: Map<string, Buffer>): number {
  const size = bytes.length < 5 ? -1 : bytes.readInt32LE(0);
  const zero = bytes.indexOf(0, 4);
  if (size < 5 || size > bytes.length || zero < 0 || zero >= size) {
    throw new ProtocolError("documents with a length that lies");
  }
  const name = bytes.toString("utf8", 4, zero);
  if (sequences.has(name)) throw new ProtocolError("documents of one field twice");
  const documents = bytes.subarray(zero + 1, size);
  for (let at = 0; at < documents.length;) at += documentLength(documents, at);
  sequences.set(name, documents);
  return size;
}

/** Servers take nothing else by OP_QUERY than the first message of a client. */
function readQuery(requestId: number, body: Buffer): Request {
  const zero = body.indexOf(0, 4);
  const collection = body.toString("utf8", 4, zero);
  if (zero < 0 || !collection.endsWith(".$cmd")) throw new ProtocolError("a query by OP_QUERY");
  const rest = body.subarray(zero + 9);
  const outer = rest.subarray(0, documentLength(rest));
  const wrapped = named(fieldsOf(outer), "$query");
  const document =
    wrapped === undefined ? outer : wrapped.bytes.subarray(wrapped.start, wrapped.start + wrapped.length);
  const fields = fieldsOf(document);
  const [{ name: command } = { name: "" }] = fields;
  const database = collection.slice(0, -".$cmd".length);
  const { query } = operations;
  return { requestId, operation: query, command, database, fields, document, sequences: new Map(), flags: 0 };
}
