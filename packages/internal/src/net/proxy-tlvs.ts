// What version 2 of the PROXY protocol says of a connection beyond its addresses: type, length, value.
//
// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, section 2.2

import { Buffer } from "node:buffer";
import type { TlsFacts } from "./tls/tls-facts.ts";

/** What is told. */
export interface ProxiedFacts {
  /** The server name that the client asked for; "" if it is not known. */
  readonly serverName: string;
  /** The protocol inside TLS; "" if it is not known. */
  readonly nextProto: string;
  /** `undefined` if TLS was not terminated. */
  readonly tls: TlsFacts | undefined;
}

/** The fields for the server name, ALPN, and TLS with the client's certificate; empty if nothing is known. */
export function proxyTlvs({ serverName, nextProto, tls }: ProxiedFacts): Buffer {
  return Buffer.concat([
    nextProto === "" ? nothing : tlv(type.alpn, nextProto),
    serverName === "" ? nothing : tlv(type.authority, serverName),
    tls === undefined ? nothing : tlv(type.ssl, sslValue(tls)),
  ]);
}

/** Flags, whether the certificate was not verified, then fields of their own. */
function sslValue({ version, cipher, client }: TlsFacts): Buffer {
  const flags = client === undefined ? flag.ssl : flag.ssl | flag.certOfConn | flag.certOfSession;
  const verify = Buffer.alloc(4);
  verify.writeUInt32BE(client?.isVerified === true ? 0 : 1);
  const commonName = client?.isVerified === true ? /(?:^|,)CN=((?:\\.|[^,])*)/.exec(client.subject)?.[1] : undefined;
  return Buffer.concat([
    Buffer.of(flags),
    verify,
    tlv(type.sslVersion, version),
    tlv(type.sslCipher, cipher),
    commonName === undefined ? nothing : tlv(type.sslCommonName, commonName),
    // An unverified one says nothing that could be trusted.
    client?.isVerified === true && client.certificate.raw.length <= maxCertificate
      ? tlv(type.sslClientCert, client.certificate.raw)
      : nothing,
  ]);
}

function tlv(of: number, value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([Buffer.of(of, bytes.length >> 8, bytes.length & 255), bytes]);
}

const type = {
  alpn: 0x01,
  authority: 0x02,
  ssl: 0x20,
  sslVersion: 0x21,
  sslCommonName: 0x22,
  sslCipher: 0x23,
  sslClientCert: 0x28,
};
const flag = { ssl: 1, certOfConn: 2, certOfSession: 4 };
const nothing = Buffer.alloc(0);

/** In bytes. Receivers have buffers of 16 KiB and less for the whole header. */
const maxCertificate = 8 * 1024;
