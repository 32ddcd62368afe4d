// The results of a TLS handshake, read on demand by the codec.

import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { certificateTime } from "./certificate-time.ts";

/** A TLS connection of a client. */
export interface TlsFacts {
  /** The id of the requirements on the client; "": none. */
  readonly terms: string;
  /** For a larger write, the client's reading progress is not visible. */
  readonly maxWrite: number;
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** The name in RFCs, such as `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string;
  /** The server name that the client sent (SNI), in lower case; "" without one. */
  readonly serverName: string;
  /** The negotiated protocol (ALPN); "" if the client offered none. */
  readonly nextProto: string;
  /** Whether the session of an earlier connection was resumed. */
  readonly isResumed: boolean;
  /** The client's certificate, if one was requested and sent. It may be untrusted: see `isVerified`. */
  readonly client: ClientCertificate | undefined;
  /**
   * Closes the connection without a regular end. A client that ignores a missing `close_notify` would otherwise take it
   * for one.
   */
  reset(): void;
}

/** Facts that are read from a socket. A value that is first read after the socket has closed is empty. */
export class SocketTlsFacts implements TlsFacts {
  readonly terms: string;
  readonly maxWrite = 64 * 1024;
  readonly #socket: TLSSocket;
  readonly #beneath: Socket;
  readonly #serverName: string | undefined;
  #version: string | undefined;
  #cipher: string | undefined;
  #client: ClientCertificate | null | undefined;

  /**
   * `beneath` is the socket below TLS. `serverName` is the name that the client sent, if the socket does not know it.
   */
  constructor(socket: TLSSocket, beneath: Socket, terms: string, serverName: string | undefined) {
    this.#socket = socket;
    this.#beneath = beneath;
    this.terms = terms;
    this.#serverName = serverName;
  }

  get version(): string {
    return (this.#version ??= this.#socket.getProtocol() ?? "");
  }

  get cipher(): string {
    return (this.#cipher ??= this.#socket.destroyed ? "" : this.#socket.getCipher().standardName);
  }

  get serverName(): string {
    // The types do not declare `servername` on the server side.
    const name: unknown = this.#serverName ?? ("servername" in this.#socket ? this.#socket.servername : undefined);
    return typeof name === "string" ? name.toLowerCase() : "";
  }

  get nextProto(): string {
    const { alpnProtocol } = this.#socket;
    return typeof alpnProtocol === "string" ? alpnProtocol : "";
  }

  get isResumed(): boolean {
    return !this.#socket.destroyed && this.#socket.isSessionReused();
  }

  get client(): ClientCertificate | undefined {
    if (this.#client === undefined) {
      const certificate = this.#socket.getPeerX509Certificate();
      this.#client = certificate === undefined ? null : new ClientCertificate(certificate, this.#socket);
    }
    return this.#client ?? undefined;
  }

  reset(): void {
    this.#beneath.resetAndDestroy();
  }
}

/** The certificate of a client. */
export class ClientCertificate {
  /** The certificate as node:crypto represents it. */
  readonly certificate: X509Certificate;
  /** Whether it is valid and leads to an authority for clients. If not, all its other data is untrusted. */
  readonly isVerified: boolean;
  /** Why it is not verified, by OpenSSL's name such as `CERT_HAS_EXPIRED`; "" if it is verified. */
  readonly failure: string;

  /** `authorized` and `authorizationError` as a TLSSocket has them. */
  constructor(
    certificate: X509Certificate,
    { authorized, authorizationError }: Pick<TLSSocket, "authorized" | "authorizationError">,
  ) {
    this.certificate = certificate;
    this.isVerified = authorized;
    // It is typed as an Error, but is the name of one.
    const failure: unknown = authorizationError;
    this.failure = authorized || typeof failure !== "string" ? "" : failure;
  }

  /** In the format of RFC 4514: `CN=Ann,O=Shop`. */
  get subject(): string {
    return distinguishedName(this.certificate.subject);
  }

  /** The issuer, in the format of RFC 4514. */
  get issuer(): string {
    return distinguishedName(this.certificate.issuer);
  }

  /** In hexadecimal digits, upper case. */
  get serial(): string {
    return this.certificate.serialNumber;
  }

  /** SHA-256 of the certificate: 64 lower-case hexadecimal digits. */
  get fingerprint(): string {
    return this.certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  }

  /** For example `DNS:a.example, email:ann@a.example`; "" if there are none. */
  get altNames(): string {
    return this.certificate.subjectAltName ?? "";
  }

  /**
   * An invalid date if the certificate has an impossible one, such as a thirteenth month: anyone can send such a
   * certificate.
   */
  get validTo(): Date {
    return certificateTime(this.certificate.validTo);
  }

  /** PEM, percent-encoded, so that it fits into a header field. */
  get escapedPEM(): string {
    return encodeURIComponent(this.certificate.toString());
  }
}

/**
 * Node lists one attribute per line, the most general first; RFC 4514 starts with the most specific. Both use the same
 * escapes.
 */
function distinguishedName(lines: string | undefined): string {
  return (lines ?? "").split("\n").reverse().join(",");
}
