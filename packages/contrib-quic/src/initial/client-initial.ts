// Reads the ClientHello out of a client's first datagrams, before there is a connection: what it asks for decides which
// certificate it gets, and where a router sends it.
//
//   datagrams ──> Initial packets ── InitialKeys ──> CRYPTO frames, in any order ──> ClientHello
//
// A hello with a post-quantum key takes two datagrams, and Chromium sends its pieces in random order.

import { readVarint, varintSize } from "@hemi/common";
import { maxClientHello, protocolsIn, serverNameIn } from "@hemi/internal";
import { InitialKeys } from "./initial-keys.ts";
import { readLongHeader } from "./long-header.ts";

/** What a client asks for. */
export interface QuicHello {
  /** In lower case; "" without one. */
  readonly serverName: string;
  /** ALPN, in the order of preference. */
  readonly nextProtos: readonly string[];
}

export class ClientInitial {
  readonly #keys: InitialKeys;
  readonly #dcid: Buffer;
  readonly #version: number;
  /** Pieces of the handshake by offset. */
  #pieces: { readonly offset: number; readonly bytes: Buffer }[] = [];
  /** It cannot be read: it is none, larger than any, or could be read in two ways. */
  isBroken = false;

  /** `dcid`: the connection ID that the first packet was sent to. `version`: of QUIC, 1 or 2. */
  constructor(dcid: Uint8Array, version: number) {
    this.#keys = new InitialKeys(dcid, version);
    this.#dcid = Buffer.from(dcid);
    this.#version = version;
  }

  /** Takes a datagram; its bytes stay as they are. Returns the hello once all of it has come. */
  push(datagram: Buffer): QuicHello | undefined {
    let packets = 0;
    for (let at = 0; at < datagram.length && !this.isBroken && packets < maxPackets; packets++) {
      const header = readLongHeader(datagram, at);
      // Servers drop what has another connection ID (RFC 9000 12.2): what they do not see decides nothing.
      if (header?.isInitial !== true || header.version !== this.#version || !header.dcid.equals(this.#dcid)) break;
      const frames = this.#keys.open(datagram, at, header);
      if (frames !== undefined) this.#readFrames(frames);
      at = header.end;
    }
    return this.isBroken ? undefined : this.#hello();
  }

  #readFrames(frames: Buffer): void {
    for (let at = 0; at < frames.length;) {
      const type = frames[at++];
      if (type === frameType.padding || type === frameType.ping) continue;
      if (type !== frameType.crypto) return;
      const offset = readVarint(frames, at);
      at += varintSize(frames[at] ?? 0);
      const size = readVarint(frames, at);
      at += varintSize(frames[at] ?? 0);
      if (offset < 0 || size < 0 || at + size > frames.length) return;
      if (offset + size > maxClientHello || this.#pieces.length >= maxPieces) {
        this.isBroken = true;
        return;
      }
      this.#pieces.push({ offset, bytes: frames.subarray(at, at + size) });
      at += size;
    }
  }

  #hello(): QuicHello | undefined {
    const message = this.#assembled();
    if (this.isBroken || message.length < messageHead) return undefined;
    if (message[0] !== clientHello) {
      this.isBroken = true;
      return undefined;
    }
    const end = messageHead + message.readUIntBE(1, 3);
    if (end > maxClientHello) this.isBroken = true;
    if (this.isBroken || message.length < end) return undefined;
    const body = message.subarray(messageHead, end);
    const serverName = (serverNameIn(body) ?? "").toLowerCase().replace(/\.$/, "");
    return { serverName, nextProtos: protocolsIn(body) };
  }

  /**
   * What has come without a gap from the beginning. Pieces that overlap have to agree: a server might take the other
   * one (RFC 9000 2.2).
   */
  #assembled(): Buffer {
    const [first] = this.#pieces;
    if (this.#pieces.length === 1 && first?.offset === 0) return first.bytes;
    this.#pieces.sort((one, other) => one.offset - other.offset);
    const size = Math.max(0, ...this.#pieces.map(({ offset, bytes }) => offset + bytes.length));
    const message = Buffer.alloc(size);
    let end = 0;
    for (const { offset, bytes } of this.#pieces) {
      if (offset > end) break;
      const known = Math.min(end - offset, bytes.length);
      if (!message.subarray(offset, offset + known).equals(bytes.subarray(0, known))) this.isBroken = true;
      end = Math.max(end, offset + bytes.copy(message, offset));
    }
    return message.subarray(0, end);
  }
}

/** RFC 9000 19. */
const frameType = { padding: 0x00, ping: 0x01, crypto: 0x06 } as const;

/** RFC 8446 4. */
const clientHello = 1;
const messageHead = 4;

/** Chromium sends about ten. */
const maxPieces = 100;

/** Initial packets in one datagram; one is usual. Each costs far more than its bytes. */
const maxPackets = 4;
