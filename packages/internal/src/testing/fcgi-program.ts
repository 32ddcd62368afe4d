// For tests: FastCGI from the side of a server.

import type { BackendConn } from "./raw-backend.ts";
import { recordHeader, recordTypes } from "../fcgi/records.ts";

/** What a server was asked. */
export interface FcgiAsked {
  readonly keepsConn: boolean;
  readonly params: Readonly<Record<string, string>>;
  readonly content: string;
}

export function fcgiRecord(type: number, content: string | Uint8Array, { id = 1, padding = 0 } = {}): Buffer {
  const bytes = Buffer.from(content);
  const header = recordHeader(type, bytes.length);
  header.writeUInt16BE(id, 2);
  header.writeUInt8(padding, 6);
  return Buffer.concat([header, bytes, Buffer.alloc(padding, 0xee)]);
}

/** What ends an answer. */
export const end = (appStatus = 0, protocolStatus = 0): Buffer =>
  fcgiRecord(recordTypes.endRequest, Buffer.from([0, 0, 0, appStatus, protocolStatus, 0, 0, 0]));

/** A whole answer of output. */
export const answer = (output: string): Buffer => Buffer.concat([fcgiRecord(recordTypes.stdout, output), end()]);

/** The next request, read strictly. */
export async function asked(conn: BackendConn): Promise<FcgiAsked> {
  const begin = await nextRecord(conn, recordTypes.beginRequest);
  let params = "";
  for (let piece = await nextRecord(conn, recordTypes.params); piece !== "";) {
    params += piece;
    piece = await nextRecord(conn, recordTypes.params);
  }
  let content = "";
  for (let piece = await nextRecord(conn, recordTypes.stdin); piece !== "";) {
    content += piece;
    piece = await nextRecord(conn, recordTypes.stdin);
  }
  return { keepsConn: begin.charCodeAt(2) === 1, params: readParams(Buffer.from(params, "latin1")), content };
}

async function nextRecord(conn: BackendConn, type: number): Promise<string> {
  const header = Buffer.from(await conn.exactly(8), "latin1");
  if (header[1] !== type) throw new Error(`a record of type ${header[1]} came where ${type} was due`);
  const content = await conn.exactly(header.readUInt16BE(4));
  await conn.exactly(header.readUInt8(6));
  return content;
}

function readParams(bytes: Buffer): Record<string, string> {
  const params: Record<string, string> = {};
  let at = 0;
  const length = (): number => {
    const isLong = bytes.readUInt8(at) > 127;
    const size = isLong ? bytes.readUInt32BE(at) & 0x7fffffff : bytes.readUInt8(at);
    at += isLong ? 4 : 1;
    return size;
  };
  while (at < bytes.length) {
    const nameSize = length();
    const valueSize = length();
    const name = bytes.toString("utf8", at, at + nameSize);
    params[name] = bytes.toString("utf8", at + nameSize, at + nameSize + valueSize);
    at += nameSize + valueSize;
  }
  return params;
}
