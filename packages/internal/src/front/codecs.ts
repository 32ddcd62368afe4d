// The registry of codecs of a front: selects the codec of a connection by the protocol that the handshake agreed on, or
// by the first bytes.
//
//  TLS with ALPN ── "h2" ──────────────> the codec with that name
//  anything else ──> the last codec ──┬─> serves
//                                     └─ the first bytes belong to another codec ──> handed over to that one

import type { Socket } from "node:net";
import { HemiError } from "../errors/hemi-error.ts";
import type { Peer } from "../net/peer.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import type { GateConn } from "./gate.ts";

/** A connection that another codec can take over before a response was sent. */
export interface CodecConn extends GateConn {
  /** `undefined`: without TLS. */
  readonly tls: TlsFacts | undefined;
  /** The client. */
  readonly peer: Peer;
}

/** One protocol. `Server` is the interface that its connections need from their server. */
export interface Codec<Server extends object> {
  /**
   * The transport of the connection. A front serves one transport; protocols of others, such as `h3` over QUIC, never
   * enter its ALPN list.
   */
  readonly transport: "tcp";
  /** Its ALPN names (IANA registry of TLS ALPN protocol ids), in the order of preference. */
  readonly alpn: readonly string[];
  /** Whether the server currently speaks it. Default: true. */
  isSpoken?(server: Server): boolean;
  /**
   * Whether a client without an agreed protocol that begins with these bytes speaks it. Called again when more bytes
   * have arrived; must decide within a fixed number of bytes. Without it, the codec is selected by ALPN only, or as the
   * last of the codecs.
   */
  accepts?(bytes: Buffer): boolean | "perhaps";
  /** Serves a connection. It calls `front.closed(conn)` once at its end. */
  open(socket: Socket, peer: Peer, tls: TlsFacts | undefined, server: Server): CodecConn;
}

/** The codecs of a server, in the order of preference. The last one gets all connections that no other one claims. */
export class Codecs<Server extends object> {
  readonly #codecs: readonly Codec<Server>[];
  readonly #server: Server;
  readonly #last: Codec<Server>;

  /** Throws HEMI_USAGE for an empty list, for duplicate names, and for a name that does not belong to TCP. */
  constructor(codecs: readonly Codec<Server>[], server: Server) {
    const last = codecs.at(-1);
    if (last === undefined) throw new HemiError("HEMI_USAGE", "a server needs a codec");
    const names = new Set<string>();
    for (const name of codecs.flatMap(({ alpn }) => alpn)) {
      if (names.has(name)) throw new HemiError("HEMI_USAGE", `two codecs of a server have the ALPN name ${name}`);
      if (quicOnly.has(name)) throw new HemiError("HEMI_USAGE", `${name} is spoken over QUIC only, never over TCP`);
      names.add(name);
    }
    this.#codecs = codecs;
    this.#server = server;
    this.#last = last;
  }

  /** The ALPN names offered in handshakes, in the order of preference. */
  get protocols(): readonly string[] {
    return this.#codecs.filter((codec) => this.#isSpoken(codec)).flatMap(({ alpn }) => alpn);
  }

  /** Serves a connection with the codec that its handshake agreed on, if any. */
  open(socket: Socket, peer: Peer, tls: TlsFacts | undefined): CodecConn {
    const agreed = tls === undefined || tls.nextProto === "" ? undefined : this.#find(tls.nextProto);
    return (agreed ?? this.#last).open(socket, peer, tls, this.#server);
  }

  /** The codec that claims these first bytes; "perhaps": more bytes are needed to decide. */
  claimantOf(bytes: Buffer): Codec<Server> | "perhaps" | undefined {
    let isOpen = false;
    for (const codec of this.#codecs) {
      const answer = codec.accepts !== undefined && this.#isSpoken(codec) && codec.accepts(bytes);
      if (answer === true) return codec;
      if (answer === "perhaps") isOpen = true;
    }
    return isOpen ? "perhaps" : undefined;
  }

  /** Serves a connection with the codec that claims its first bytes, in place of `conn`. */
  openClaimed(bytes: Buffer, socket: Socket, { tls, peer }: CodecConn): CodecConn {
    const claimant = this.claimantOf(bytes);
    const codec = claimant === undefined || claimant === "perhaps" ? this.#last : claimant;
    return codec.open(socket, peer, tls, this.#server);
  }

  #find(protocol: string): Codec<Server> | undefined {
    return this.#codecs.find(({ alpn }) => alpn.includes(protocol));
  }

  #isSpoken(codec: Codec<Server>): boolean {
    return codec.isSpoken === undefined || codec.isSpoken(this.#server);
  }
}

/** RFC 9114 3.1, RFC 9250 4.1.1. */
const quicOnly: ReadonlySet<string> = new Set(["h3", "doq"]);
