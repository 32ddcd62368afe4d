// What a session of datagrams asks for in its first ones.

import { isDtlsHandshake, readDtlsClientHello } from "../../net/tls/dtls-client-hello.ts";
import { sniffDatagram } from "./sniff-datagram.ts";

/** What a ClientHello asks for. */
export interface SessionHello {
  /** In lower case; "" without one. */
  readonly serverName: string;
  /** The first protocol that it offers (ALPN); "" without one. */
  readonly nextProto: string;
}

/** Reads the first datagrams of a session. */
export interface HelloReader {
  /** What the datagrams carry, for logs and conditions. */
  readonly transport: "udp" | "dtls" | "quic";
  /** A word of `DatagramProtocol`; "" for an unknown one. */
  readonly protocol: string;
  /** `datagrams`: all that have come so far, in order. `undefined`: more have to come. */
  read(datagrams: readonly Buffer[]): SessionHello | undefined;
}

/** A hello that asks for nothing, or cannot be read. */
export const noHello: SessionHello = { serverName: "", nextProto: "" };

/** The reader for the sessions of a udpsRouter. `first`: the first datagram. */
export function helloReader(first: Buffer): HelloReader {
  const protocol = sniffDatagram(first);
  if (!isDtlsHandshake(first)) return { transport: "udp", protocol, read: () => noHello };
  return {
    transport: "dtls",
    protocol,
    read(datagrams) {
      const hello = readDtlsClientHello(datagrams);
      return hello && { serverName: plainName(hello.serverName ?? ""), nextProto: hello.protocols[0] ?? "" };
    },
  };
}

function plainName(serverName: string): string {
  return serverName.toLowerCase().replace(/\.$/, "");
}
