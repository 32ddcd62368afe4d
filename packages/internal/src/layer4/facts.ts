// What conditions, templates and logs of layer 4 may know about a connection.

import { more } from "../component/partial-condition.ts";

/** The subject of cases. A value that depends on bytes of the client is `more` as long as they do not suffice. */
export interface ConnFacts {
  /** `tls`: the router has terminated TLS. `dtls`: the datagrams are of DTLS. Otherwise what the router listens on. */
  readonly transport: "tcp" | "tls" | "uds" | "udp" | "dtls" | "quic";
  /** The client, which a trusted PROXY header may have named; "" for a UNIX socket. */
  readonly srcHost: string;
  /** The port of the client. */
  readonly srcPort: number;
  /** The other end of the connection: the client, or the proxy before it. */
  readonly peerHost: string;
  /** The address that the connection came to; "" for a UNIX socket. */
  readonly dstHost: string;
  /** The port that the client has connected to. */
  readonly dstPort: number;
  /** In lower case; "" without one. */
  readonly serverName: string | typeof more;
  /** With TLS terminated, the protocol agreed on; otherwise the first one that the client offers; "" without one. */
  readonly nextProto: string | typeof more;
  /** One word of `StreamProtocol` or `DatagramProtocol`, or `silent`; "" for an unknown one. */
  readonly protocol: string | typeof more;
}

/** A value when no more bytes are waited for. */
export function known(value: string | typeof more): string {
  return value === more ? "" : value;
}
