// Parses the first TLS message of a client (RFC 8446 4.1.2) before the handshake: the requested server name (RFC 6066
// 3) and the offered protocols (RFC 7301).

import { Buffer } from "node:buffer";

/** The largest ClientHello that is parsed, in bytes with its record headers. Usual ones have 300 to 2,000 bytes. */
export const maxClientHello = 16 * 1024;

export interface ClientHello {
  /** As sent; `undefined` if the client names no server. */
  readonly serverName: string | undefined;
}

/**
 * `undefined`: incomplete. A message that is malformed, too large or not a ClientHello has no server name: node's
 * handshake finds the error and reports it to the client in the right way.
 */
export function readClientHello(bytes: Buffer): ClientHello | undefined {
  const message = handshakeMessage(bytes);
  if (message === undefined && bytes.length < maxClientHello) return undefined;
  return { serverName: message === undefined || message === "malformed" ? undefined : serverNameIn(message) };
}

/** The protocols (ALPN) in a complete ClientHello, in order; none if it is malformed. */
export function readProtocols(bytes: Buffer): readonly string[] {
  const message = handshakeMessage(bytes);
  return message === undefined || message === "malformed" ? [] : protocolsIn(message);
}

/** The protocols in the body of a ClientHello, which follows its type and length. */
export function protocolsIn(body: Buffer): readonly string[] {
  const content = findExtension(body, alpn);
  if (content === undefined) return [];
  const names = new Reader(new Reader(content).vector(2));
  const protocols: string[] = [];
  while (names.hasMore) protocols.push(names.vector(1).toString("latin1"));
  return names.isBroken ? [] : protocols;
}

/** The record type that starts every TLS connection, and no text protocol. */
export const handshakeRecord = 0x16;

/** The first message, assembled from its records. */
function handshakeMessage(bytes: Buffer): Buffer | "malformed" | undefined {
  const pieces: Buffer[] = [];
  let size = 0;
  for (let at = 0; at + recordHead <= bytes.length;) {
    const length = bytes.readUInt16BE(at + 3);
    if (bytes[at] !== handshakeRecord || bytes[at + 1] !== 3 || length === 0) return "malformed";
    const piece = bytes.subarray(at + recordHead, at + recordHead + length);
    pieces.push(piece);
    size += piece.length;
    at += recordHead + length;
  }
  const message = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  if (message === undefined || size < messageHead) return undefined;
  if (message[0] !== clientHello) return "malformed";
  const end = messageHead + message.readUIntBE(1, 3);
  return size < end ? undefined : message.subarray(messageHead, end);
}

const recordHead = 5;
const messageHead = 4;
const clientHello = 1;

/** The server name in the body of a ClientHello, as sent; `undefined` without one. */
export function serverNameIn(body: Buffer): string | undefined {
  const content = findExtension(body, serverNames);
  if (content === undefined) return undefined;
  const names = new Reader(new Reader(content).vector(2));
  // The only type of name is `host_name`, with at most one name of each type.
  if (names.uint8() !== 0) return undefined;
  const name = names.vector(2).toString("latin1");
  return name === "" ? undefined : name;
}

/** The content of the first extension of a type. */
function findExtension(message: Buffer, wanted: number): Buffer | undefined {
  // legacy_version and random
  const reader = new Reader(message, 34);
  reader.vector(1); // legacy_session_id
  reader.vector(2); // cipher_suites
  reader.vector(1); // legacy_compression_methods
  const extensions = new Reader(reader.vector(2));
  while (extensions.hasMore) {
    const type = extensions.uint16();
    const content = extensions.vector(2);
    if (type === wanted) return content;
  }
  return undefined;
}

const serverNames = 0;
const alpn = 16;

/** Reads numbers and vectors. Beyond the end of the bytes, it returns zeros and empty vectors, and sets `isBroken`. */
class Reader {
  readonly #bytes: Buffer;
  #at: number;
  isBroken = false;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get hasMore(): boolean {
    return !this.isBroken && this.#at < this.#bytes.length;
  }

  uint8(): number {
    return this.#take(1)[0] ?? 0;
  }

  uint16(): number {
    return (this.uint8() << 8) | this.uint8();
  }

  /** A vector with a length prefix of this many bytes. */
  vector(lengthSize: 1 | 2): Buffer {
    return this.#take(lengthSize === 1 ? this.uint8() : this.uint16());
  }

  #take(size: number): Buffer {
    const end = this.#at + size;
    if (end > this.#bytes.length) {
      this.isBroken = true;
      return nothing;
    }
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

const nothing = Buffer.alloc(0);
