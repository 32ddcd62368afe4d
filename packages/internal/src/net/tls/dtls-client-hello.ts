// Parses the first message of a DTLS client (RFC 6347 4.2, RFC 9147 5), which may come in several datagrams.

import { Buffer } from "node:buffer";
import { handshakeRecord, protocolsIn, serverNameIn } from "./client-hello.ts";

/** What a client of DTLS asks for. */
export interface DtlsClientHello {
  /** As sent; `undefined` without one. */
  readonly serverName: string | undefined;
  /** In the order of the client (ALPN). */
  readonly protocols: readonly string[];
}

/** Whether a datagram begins with a record of DTLS that belongs to a handshake: the versions are 1.0 and 1.2. */
export function isDtlsHandshake(datagram: Buffer): boolean {
  return datagram[0] === handshakeRecord && datagram[1] === 0xfe && (datagram[2] === 0xff || datagram[2] === 0xfd);
}

/** `undefined`: a part of it is missing. A message that is malformed or too large asks for nothing. */
export function readDtlsClientHello(datagrams: readonly Buffer[]): DtlsClientHello | undefined {
  const body = bodyOf(datagrams.flatMap(fragmentsIn));
  if (body === undefined) return undefined;
  const plain = body === "malformed" ? undefined : withoutCookie(body);
  if (plain === undefined) return { serverName: undefined, protocols: [] };
  return { serverName: serverNameIn(plain), protocols: protocolsIn(plain) };
}

/** A piece of a handshake message. */
interface Fragment {
  readonly type: number;
  /** The number of the message within the handshake. */
  readonly sequence: number;
  /** The length of the whole message. */
  readonly length: number;
  readonly offset: number;
  readonly bytes: Buffer;
}

/**
 * ```text
 * record:   type 1, version 2, epoch 2, sequence 6, length 2
 * fragment: type 1, length 3, sequence 2, offset 3, fragment length 3
 * ```
 */
function fragmentsIn(datagram: Buffer): Fragment[] {
  const found: Fragment[] = [];
  for (let at = 0; at + recordHead <= datagram.length && isDtlsHandshake(datagram.subarray(at));) {
    const end = at + recordHead + datagram.readUInt16BE(at + 11);
    const record = datagram.subarray(at + recordHead, end);
    for (let from = 0; from + fragmentHead <= record.length;) {
      const size = record.readUIntBE(from + 9, 3);
      const bytes = record.subarray(from + fragmentHead, from + fragmentHead + size);
      found.push({
        type: record.readUInt8(from),
        length: record.readUIntBE(from + 1, 3),
        sequence: record.readUInt16BE(from + 4),
        offset: record.readUIntBE(from + 6, 3),
        bytes,
      });
      from += fragmentHead + size;
    }
    at = end;
  }
  return found;
}

/** The message that the first fragment belongs to, if all of it is there. */
function bodyOf(fragments: readonly Fragment[]): Buffer | "malformed" | undefined {
  const [first] = fragments;
  if (first?.type !== clientHello || first.length > maxMessage) return "malformed";
  const parts = fragments.filter(({ type, sequence, length }) => {
    return type === clientHello && sequence === first.sequence && length === first.length;
  });
  const body = Buffer.alloc(first.length);
  let known = 0;
  for (const { offset, bytes } of parts.toSorted((a, b) => a.offset - b.offset)) {
    if (offset > known) return undefined;
    bytes.copy(body, offset);
    known = Math.max(known, offset + bytes.length);
  }
  return known < first.length ? undefined : body;
}

/** As a ClientHello of TLS has it: a cookie stands behind the session id in DTLS only. */
function withoutCookie(body: Buffer): Buffer | undefined {
  const cookie = versionAndRandom + 1 + (body[versionAndRandom] ?? 0);
  const behind = cookie + 1 + (body[cookie] ?? 0);
  return behind > body.length ? undefined : Buffer.concat([body.subarray(0, cookie), body.subarray(behind)]);
}

const recordHead = 13;
const fragmentHead = 12;
const clientHello = 1;
const versionAndRandom = 34;

/** In bytes. Usual ones have 200 to 2,000. */
const maxMessage = 16 * 1024;
