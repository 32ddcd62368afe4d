// Who knows which certificate a client is shown, and what is asked of it: files, a store in memory, an authority's
// protocol (ACME).

import type { Certificate } from "./certificate.ts";
import type { ClientTerms } from "./client-terms.ts";

/**
 * What a handshake is made with. Never changes: where certificates or terms change, the source gives another object.
 */
export interface SecureSite {
  /** The path of the component that it belongs to, for messages. */
  readonly path: string;
  /** One for each type of key. At least one. */
  readonly certificates: readonly Pick<Certificate, "chain" | "key">[];
  /** What is asked of clients. */
  readonly terms: ClientTerms;
  /**
   * A session that was begun at one site goes on at others with the same scope and the same terms, whoever serves them
   * in this process.
   */
  readonly sessionScope: string;
}

/** The answer to a challenge in a handshake, in PEM. */
export interface ChallengeCertificate {
  /** The certificate, as the authority wants it for the challenge. */
  readonly cert: string;
  /** Its key. */
  readonly key: string;
}

/** Asked for each handshake; its answers may change over time. Whatever waits does so within `handshakeTimeout`. */
export interface CertificateSource {
  /**
   * For clients that name no server or an unknown one, unless they are refused; `undefined`: there is none, and they
   * are.
   */
  readonly fallback: SecureSite | undefined;
  /** False: `find` would always give the fallback, so that the name need not be read from the ClientHello. */
  readonly dependsOnName: boolean;
  /** The site of a name: in lower case, without a dot at its end. `undefined`: unknown. */
  find(serverName: string): SecureSite | undefined | Promise<SecureSite | undefined>;
  /** Called every `tlsReloadInterval`: looks whether what it gives is still right. Must not fail. */
  refresh?(): Promise<void>;
  /**
   * The certificate that proves to an authority who serves this name, for a client that offers `acme-tls/1` and nothing
   * else (RFC 8737). The connection is closed after such a handshake. `undefined`: there is no challenge now, and the
   * handshake is one like others.
   */
  findChallenge?(serverName: string): ChallengeCertificate | undefined | Promise<ChallengeCertificate | undefined>;
  /**
   * What proves the same by plain HTTP: the content for `/.well-known/acme-challenge/TOKEN` (RFC 8555 8.3). Servers of
   * HTTP ask it before any webapp. `undefined`: there is no such challenge, and the request is one like others.
   */
  answerChallenge?(hostname: string, token: string): string | undefined;
}
