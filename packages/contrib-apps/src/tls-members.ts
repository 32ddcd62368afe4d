// What `tls.TLSSocket` has over a plain socket, for the socket that an app sees: from what the engine knows of the
// client's connection. The rest of it, such as `getSession` or `renegotiate`, is not there.

import type { X509Certificate } from "node:crypto";
import type { CipherNameAndProtocol, PeerCertificate } from "node:tls";
import type { Request as HemiRequest } from "@hemi/internal";

type TlsFacts = HemiRequest["tls"];

export const tlsFactsKey = Symbol("tlsFacts");

/**
 * What was not agreed on, since there is no TLS or the connection has closed, is as in `tls.TLSSocket` without a
 * connection.
 */
export interface TlsMembers {
  readonly encrypted: true;
  /** The client has shown a certificate that leads to an authority of `tlsClientCA`, and is valid. */
  readonly authorized: boolean;
  /** Why not, by OpenSSL's name such as `CERT_HAS_EXPIRED`; `null` if the client was asked for none. */
  readonly authorizationError: string | null;
  /** `false` if the client proposed none. */
  readonly alpnProtocol: string | false;
  /** `false` if the client gave none. */
  readonly servername: string | false;
  /**
   * That of the client; an object without properties if it has shown none. The issuers, which Node.js gives if they are
   * asked for, are not known here.
   */
  getPeerCertificate(): PeerCertificate | Record<string, never>;
  getPeerX509Certificate(): X509Certificate | undefined;
  /** `TLSv1.2` or `TLSv1.3`. */
  getProtocol(): string | null;
  /** Both names are that of the RFCs; `version` is that of the connection. */
  getCipher(): CipherNameAndProtocol | null;
  isSessionReused(): boolean;
}

interface Holder {
  readonly [tlsFactsKey]: TlsFacts;
}

/**
 * Properties for a socket that has the facts under their key, where there is TLS. One for all: V8 tells objects apart
 * by them.
 */
export const tlsMembers: PropertyDescriptorMap & ThisType<Holder> = {
  encrypted: { value: true },
  authorized: {
    get() {
      return this[tlsFactsKey]?.client?.isVerified ?? false;
    },
  },
  authorizationError: {
    get() {
      const tls = this[tlsFactsKey];
      if (tls === undefined || tls.terms === "") return null;
      return tls.client === undefined ? noCertificate : unlessEmpty(tls.client.failure, null);
    },
  },
  alpnProtocol: {
    get() {
      return unlessEmpty(this[tlsFactsKey]?.nextProto, false);
    },
  },
  servername: {
    get() {
      return unlessEmpty(this[tlsFactsKey]?.serverName, false);
    },
  },
  getPeerCertificate: {
    value(this: Holder): ReturnType<TlsMembers["getPeerCertificate"]> {
      return this[tlsFactsKey]?.client?.certificate.toLegacyObject() ?? {};
    },
  },
  getPeerX509Certificate: {
    value(this: Holder): X509Certificate | undefined {
      return this[tlsFactsKey]?.client?.certificate;
    },
  },
  getProtocol: {
    value(this: Holder): string | null {
      return unlessEmpty(this[tlsFactsKey]?.version, null);
    },
  },
  getCipher: {
    value(this: Holder): CipherNameAndProtocol | null {
      const { cipher = "", version = "" } = this[tlsFactsKey] ?? {};
      return cipher === "" ? null : { name: cipher, standardName: cipher, version };
    },
  },
  isSessionReused: {
    value(this: Holder): boolean {
      return this[tlsFactsKey]?.isResumed ?? false;
    },
  },
};

/** So Node.js has it for a client that was asked for a certificate, and has shown none. */
const noCertificate = "UNABLE_TO_GET_ISSUER_CERT";

function unlessEmpty<Instead>(text: string | undefined, instead: Instead): string | Instead {
  return text === undefined || text === "" ? instead : text;
}
