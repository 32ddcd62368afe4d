// What a handshake has established, for who serves the connection: read when someone asks.

import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** A TLS connection of a client. */
export interface TlsFacts {
  /** What was asked of the client, by the id of the terms; "": nothing. */
  readonly terms: string;
  /** Of more bytes than this in one write nobody sees how much the client has taken of them, and whether it takes any. */
  readonly maxWrite: number;
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** By its name in RFCs, such as `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string;
  /** The name that the client asked for in the handshake (SNI), in lower case; "" if it gave none. */
  readonly serverName: string;
  /** The protocol that was agreed on (ALPN); "" if the client proposed none. */
  readonly nextProto: string;
  /** Whether the session of an earlier connection goes on. */
  readonly isResumed: boolean;
  /** The certificate that the client has shown, if it was asked for one and has one. It may be one that nobody vouches for: see `isVerified`. */
  readonly client: ClientCertificate | undefined;
  /** Ends the connection so that no client takes it for a regular end: not all of them look for the `close_notify` that would be one. */
  reset(): void;
}

/** As a socket tells them. What is first asked for after it has closed is empty. */
export class SocketTlsFacts implements TlsFacts {
  readonly terms: string;
  readonly maxWrite = 64 * 1024;
  readonly #socket: TLSSocket;
  readonly #beneath: Socket;
  readonly #serverName: string | undefined;
  #version: string | undefined;
  #cipher: string | undefined;
  #client: ClientCertificate | null | undefined;

  /** `beneath` is the socket that TLS runs over; `serverName` what the client asked for, where the socket does not know it. */
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
    // The types know of no `servername` at the server's end.
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
  /** As node:crypto has it. */
  readonly certificate: X509Certificate;
  /** It leads to an authority that was named for clients, and is valid. Everything else about it is worth nothing if not. */
  readonly isVerified: boolean;
  /** Why it is not verified, by OpenSSL's name such as `CERT_HAS_EXPIRED`; "" if it is. */
  readonly failure: string;

  constructor(certificate: X509Certificate, { authorized, authorizationError }: TLSSocket) {
    this.certificate = certificate;
    this.isVerified = authorized;
    // Typed as an error, it is the name of one.
    const failure: unknown = authorizationError;
    this.failure = authorized || typeof failure !== "string" ? "" : failure;
  }

  /** As RFC 4514 writes it: `CN=Ann,O=Shop`. */
  get subject(): string {
    return distinguishedName(this.certificate.subject);
  }

  /** Who has issued it, as RFC 4514 writes it. */
  get issuer(): string {
    return distinguishedName(this.certificate.issuer);
  }

  /** In hexadecimal digits, upper case. */
  get serial(): string {
    return this.certificate.serialNumber;
  }

  /** SHA-256 of the certificate: 64 hexadecimal digits in lower case. */
  get fingerprint(): string {
    return this.certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  }

  /** Such as `DNS:a.example, email:ann@a.example`; "" if there are none. */
  get altNames(): string {
    return this.certificate.subjectAltName ?? "";
  }

  /** An invalid date where the certificate says none that there is, such as one in a thirteenth month: who shows it may be anyone. */
  get validTo(): Date {
    return this.certificate.validToDate;
  }

  /** PEM, percent-encoded, so that it can stand in a header field. */
  get escapedPEM(): string {
    return encodeURIComponent(this.certificate.toString());
  }
}

/** Node gives one attribute a line, the broadest first; RFC 4514 begins with the narrowest. Both escape in the same way. */
function distinguishedName(lines: string | undefined): string {
  return (lines ?? "").split("\n").reverse().join(",");
}
