// The source of the certificate and the client terms for each handshake: files, a store in memory, or an authority's
// protocol (ACME).

import type { Certificate } from "./certificate.ts";
import type { ClientTerms } from "./client-terms.ts";

/** The input of a handshake. Immutable: if certificates or terms change, the source returns another object. */
export interface SecureSite {
  /** The path of its component, for messages. */
  readonly path: string;
  /** One for each type of key. At least one. */
  readonly certificates: readonly Pick<Certificate, "chain" | "key">[];
  /** The requirements on clients. */
  readonly terms: ClientTerms;
  /**
   * A session that was started at one site can be resumed at other sites with the same scope and the same terms, at any
   * server of this process.
   */
  readonly sessionScope: string;
}

/** The response to a challenge in a handshake, in PEM. */
export interface ChallengeCertificate {
  /** The certificate that the authority expects. */
  readonly cert: string;
  /** Its key. */
  readonly key: string;
}

/** Called for each handshake; its results may change over time. All waits count towards `handshakeTimeout`. */
export interface CertificateSource {
  /**
   * For clients without a server name, or with an unknown one, if they are not refused. `undefined`: they are refused.
   */
  readonly fallback: SecureSite | undefined;
  /** False: `find` always returns the fallback, so that the name in the ClientHello need not be parsed. */
  readonly dependsOnName: boolean;
  /** The site of a name, in lower case and without a trailing dot. `undefined`: unknown. */
  find(serverName: string): SecureSite | undefined | Promise<SecureSite | undefined>;
  /** Called at every `tlsReloadInterval`: checks whether its certificates are still current. Must not fail. */
  refresh?(): Promise<void>;
  /**
   * The certificate that proves control of this name to an authority, for a client that offers only `acme-tls/1` (RFC
   * 8737). The connection is closed after such a handshake. `undefined`: there is no challenge, and the handshake is a
   * normal one.
   */
  findChallenge?(serverName: string): ChallengeCertificate | undefined | Promise<ChallengeCertificate | undefined>;
  /**
   * The proof over plain HTTP: the content for `/.well-known/acme-challenge/TOKEN` (RFC 8555 8.3). HTTP servers call it
   * before any webapp. `undefined`: there is no such challenge, and the request is a normal one.
   */
  answerChallenge?(hostname: string, token: string): string | undefined;
}
