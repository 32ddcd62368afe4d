// For tests: the first packets of a client of QUIC, with any frames in them.

import { createCipheriv, randomBytes } from "node:crypto";
import { sizeOfVarint, varint } from "@hemi/common";
import { clientKeys } from "../initial/initial-keys.ts";
import { quicVersion, quicVersion2 } from "../initial/long-header.ts";

export interface InitialOptions {
  readonly dcid?: Buffer;
  readonly scid?: Buffer;
  readonly token?: Buffer;
  readonly version?: number;
  readonly number?: number;
  /** The connection ID that its keys are made of. Default: `dcid`. */
  readonly keysOf?: Buffer;
}

/** A datagram of 1200 bytes or more with an Initial packet, whose payload these frames are. */
export function initialDatagram(frames: readonly Buffer[], options: InitialOptions = {}): Buffer {
  const { dcid = randomBytes(8), scid = randomBytes(8), token = Buffer.alloc(0) } = options;
  const { version = quicVersion, number = 0, keysOf = dcid } = options;
  const content = Buffer.concat(frames);
  const payload = Buffer.concat([content, Buffer.alloc(Math.max(0, 1162 - token.length - content.length))]);
  const { key, iv, headerKey } = clientKeys(keysOf, version);
  const numberSize = 4;
  const first = (version === quicVersion2 ? 0xd0 : 0xc0) | (numberSize - 1);
  const head = Buffer.concat([
    Buffer.of(first),
    uint32(version),
    Buffer.of(dcid.length),
    dcid,
    Buffer.of(scid.length),
    scid,
    varint(token.length),
    token,
    twoByteVarint(numberSize + payload.length + 16),
    uint32(number),
  ]);
  const nonce = Buffer.from(iv);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ number) >>> 0, 8);
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  cipher.setAAD(head);
  const sealed = Buffer.concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  const mask = createCipheriv("aes-128-ecb", headerKey, null).update(sealed.subarray(0, 16));
  head[0] = first ^ ((mask[0] ?? 0) & 0x0f);
  for (let i = 0; i < numberSize; i++) {
    const at = head.length - numberSize + i;
    head[at] = (head[at] ?? 0) ^ (mask[i + 1] ?? 0);
  }
  return Buffer.concat([head, sealed]);
}

/** A CRYPTO frame (RFC 9000 19.6). */
export function cryptoFrame(offset: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(0x06), varint(offset), varint(bytes.length), bytes]);
}

/** A ClientHello. `padding`: bytes of an extension that nobody knows. */
export function clientHello(serverName: string, nextProtos: readonly string[] = [], padding = 0): Buffer {
  const name = Buffer.from(serverName);
  const sni = vector(2, Buffer.concat([Buffer.of(0), vector(2, name)]));
  const alpn = vector(2, Buffer.concat(nextProtos.map((proto) => vector(1, Buffer.from(proto)))));
  const extensions = [extension(0xfff0, Buffer.alloc(padding))];
  if (serverName !== "") extensions.push(extension(0, sni));
  if (nextProtos.length > 0) extensions.push(extension(16, alpn));
  const body = Buffer.concat([
    Buffer.of(3, 3),
    Buffer.alloc(32),
    vector(1, Buffer.alloc(0)),
    vector(2, Buffer.of(0x13, 0x01)),
    vector(1, Buffer.of(0)),
    vector(2, Buffer.concat(extensions)),
  ]);
  return Buffer.concat([Buffer.of(1, 0), uint16(body.length), body]);
}

/** A packet of a node: a long header with the ID that the node gives, or a short one. */
export function handshakePacket(dcid: Buffer, scid: Buffer, size = 60): Buffer {
  const ids = [Buffer.of(dcid.length), dcid, Buffer.of(scid.length), scid];
  const head = Buffer.concat([Buffer.of(0xe0), uint32(quicVersion), ...ids]);
  return Buffer.concat([head, Buffer.alloc(Math.max(0, size - head.length))]);
}

/** A packet with a short header, whose content nobody can read. */
export function shortPacket(dcid: Buffer, content = ""): Buffer {
  return Buffer.concat([Buffer.of(0x40), dcid, Buffer.from(content)]);
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([uint16(type), vector(2, content)]);
}

function vector(lengthSize: 1 | 2, content: Buffer): Buffer {
  return Buffer.concat([lengthSize === 1 ? Buffer.of(content.length) : uint16(content.length), content]);
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function twoByteVarint(value: number): Buffer {
  return sizeOfVarint(value) > 2 ? varint(value) : uint16(0x4000 | value);
}
