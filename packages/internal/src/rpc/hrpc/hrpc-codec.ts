// hrpc as a codec of a server's front: by ALPN over TLS, by its preface without.

import { preface, protocolName } from "@hemi/common/rpc";
import type { Codec, CodecConn } from "../../front/codecs.ts";
import type { CodecServer } from "../../http/codec-server.ts";
import type { Peer } from "../../net/peer.ts";
import type { TlsFacts } from "../../net/tls/tls-facts.ts";
import type { Socket } from "node:net";

/** Makes the connections; it may be loaded only when the server is prepared. */
export interface HrpcAcceptor {
  openHrpc(socket: Socket, peer: Peer, tls: TlsFacts | undefined, server: CodecServer): CodecConn;
}

export function hrpcCodec(acceptor: HrpcAcceptor): Codec<CodecServer> {
  return {
    transport: "tcp",
    alpn: [protocolName],
    accepts: beginsWithPreface,
    open: (socket, peer, tls, server) => acceptor.openHrpc(socket, peer, tls, server),
  };
}

function beginsWithPreface(bytes: Buffer): boolean | "perhaps" {
  const size = Math.min(bytes.length, preface.length);
  for (let i = 0; i < size; i++) if (bytes[i] !== preface[i]) return false;
  return size === preface.length ? true : "perhaps";
}
