// What the handshake of a QUIC connection has established (RFC 9001).

import { X509Certificate } from "node:crypto";
import { ClientCertificate, type ClientTerms, type TlsFacts } from "@hemi/internal";
import type { QuicheConn } from "./quiche-conn.ts";

export class QuicTlsFacts implements TlsFacts {
  readonly maxWrite = Infinity;
  readonly version = "TLSv1.3";
  /** The library does not tell it. */
  readonly cipher = "";
  readonly nextProto = "h3";
  readonly serverName: string;
  readonly terms: string;
  readonly isResumed: boolean;
  readonly client: ClientCertificate | undefined;
  readonly #conn: QuicheConn;

  /** `terms`: what the client had to show. */
  constructor(conn: QuicheConn, terms: ClientTerms) {
    this.#conn = conn;
    this.serverName = (conn.native.serverName() ?? "").toLowerCase().replace(/\.$/, "");
    this.terms = terms.id;
    this.isResumed = conn.native.isResumed();
    const [leaf] = conn.native.peerCertChain() ?? [];
    if (leaf === undefined) return;
    // Where a certificate is required, the library lets no connection through without a valid one. Where it is
    // optional, the library takes any, and does not tell: nothing of it is trusted then.
    this.client = new ClientCertificate(new X509Certificate(leaf), {
      authorized: terms.demand === "required",
      authorizationError: unverified,
    });
  }

  reset(): void {
    this.#conn.abandon();
  }
}

const unverified = new Error("UNABLE_TO_VERIFY");
