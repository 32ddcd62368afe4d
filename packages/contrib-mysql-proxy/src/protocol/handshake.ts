// The beginning of a connection ("Connection Phase"): the greeting of a server, and the response of a client.

import { capabilities, demanded, offered, statusFlags } from "./capabilities.ts";
import { int16, int32, packet, PayloadReader, ProtocolError } from "./packets.ts";

/** What a server says first. */
export interface Greeting {
  readonly threadId: number;
  readonly capabilities: number;
  /** 20 bytes, which proofs of the password depend on. */
  readonly scramble: Buffer;
  /** The method of authentication that it would like. */
  readonly plugin: string;
}

/** What a client answers. */
export interface ClientResponse {
  /** Those that both sides have. */
  readonly capabilities: number;
  readonly maxPacket: number;
  readonly charset: number;
  readonly user: string;
  readonly proof: Buffer;
  /** "": none. */
  readonly database: string;
  readonly plugin: string;
  /** As it was sent, with its length; empty: the client has sent none. */
  readonly attributes: Buffer;
}

/** `mayUseTls`: the client may ask for TLS. */
export function greetingPacket(greeting: Greeting, version: string, mayUseTls: boolean): Buffer {
  const { threadId, scramble, plugin } = greeting;
  const flags = greeting.capabilities & (mayUseTls ? -1 : ~capabilities.tls);
  return packet(
    0,
    Buffer.of(protocolVersion),
    `${version}\0`,
    int32(threadId),
    scramble.subarray(0, 8),
    Buffer.of(0),
    int16(flags & 0xffff),
    Buffer.of(utf8),
    int16(statusFlags.autocommit),
    int16((flags >>> 16) & 0xffff),
    Buffer.of(scrambleSize + 1),
    Buffer.alloc(10),
    scramble.subarray(8),
    `\0${plugin}\0`,
  );
}

/** Throws a ProtocolError for what is no greeting. */
export function readGreeting(payload: Buffer): Greeting {
  const reader = new PayloadReader(payload);
  if (reader.integer(1) !== protocolVersion) throw new ProtocolError("a greeting of another version of the protocol");
  reader.text();
  const threadId = reader.integer(4);
  const first = reader.bytes(8);
  reader.bytes(1);
  const low = reader.integer(2);
  reader.bytes(3);
  const flags = low | (reader.integer(2) << 16);
  const size = reader.integer(1);
  reader.bytes(10);
  if ((flags & demanded) !== demanded) throw new ProtocolError("a greeting of a server that is too old");
  const rest = reader.bytes(Math.max(13, size - 8)).subarray(0, scrambleSize - 8);
  return { threadId, capabilities: flags, scramble: Buffer.concat([first, rest]), plugin: reader.text() };
}

/** A client asks for TLS by a response that ends early. */
export function isTlsRequest(payload: Buffer): boolean {
  return payload.length === responseHeadSize && (payload.readUInt32LE(0) & capabilities.tls) !== 0;
}

/** Throws a ProtocolError for what is no response, or one of a client that is too old. */
export function readResponse(payload: Buffer): ClientResponse {
  const reader = new PayloadReader(payload);
  const flags = reader.integer(4) & offered;
  if ((flags & demanded) !== demanded) throw new ProtocolError("a response of a client that is too old");
  const maxPacket = reader.integer(4);
  const charset = reader.integer(1);
  reader.bytes(23);
  const user = reader.text();
  const proofSize = (flags & capabilities.longAuth) === 0 ? reader.integer(1) : reader.length();
  const proof = Buffer.from(reader.bytes(proofSize));
  const database = (flags & capabilities.connectWithDatabase) === 0 ? "" : reader.text();
  const plugin = reader.left > 0 ? reader.text() : "";
  return { capabilities: flags, maxPacket, charset, user, proof, database, plugin, attributes: readAttributes() };

  function readAttributes(): Buffer {
    if ((flags & capabilities.connectAttributes) === 0 || reader.left === 0) return Buffer.alloc(0);
    const all = reader.bytes(reader.left);
    const size = new PayloadReader(all).length();
    if (size > all.length) throw new ProtocolError("attributes with a length that lies");
    return Buffer.from(all);
  }
}

/** Asks a server for TLS. */
export function tlsRequestPacket(sequence: number, response: ClientResponse): Buffer {
  return packet(sequence, responseHead({ ...response, capabilities: response.capabilities | capabilities.tls }));
}

export function responsePacket(sequence: number, response: ClientResponse): Buffer {
  const { user, proof, database, plugin, attributes } = response;
  return packet(
    sequence,
    responseHead(response),
    `${user}\0`,
    // The length has the same form with and without `longAuth`, as long as it is short.
    Buffer.of(proof.length),
    proof,
    (response.capabilities & capabilities.connectWithDatabase) === 0 ? "" : `${database}\0`,
    `${plugin}\0`,
    attributes,
  );
}

function responseHead({ capabilities: flags, maxPacket, charset }: ClientResponse): Buffer {
  return Buffer.concat([int32(flags), int32(maxPacket), Buffer.of(charset), Buffer.alloc(23)]);
}

/** In bytes. */
export const scrambleSize = 20;
const protocolVersion = 10;
const responseHeadSize = 32;
/** utf8mb4_general_ci, which MySQL and MariaDB know by the same number. */
const utf8 = 45;
