// Responds to the requests with which an authority validates a name over plain HTTP (RFC 8555 8.3), before any webapp.

import type { CertificateSource } from "../front/tls/certificate-source.ts";
import { parseAuthority } from "../http/authority.ts";
import type { ExchanServer, ExchanWire } from "../http/exchan.ts";

export class ChallengeAnswers implements ExchanServer {
  readonly #source: Pick<CertificateSource, "answerChallenge">;
  readonly #next: ExchanServer;

  /** `next` receives all other requests. */
  constructor(source: Pick<CertificateSource, "answerChallenge">, next: ExchanServer) {
    this.#source = source;
    this.#next = next;
  }

  serve(wire: ExchanWire): void {
    const { method, target, authority } = wire.head;
    const [, token] = method === "GET" || method === "HEAD" ? (challengeTarget.exec(target) ?? []) : [];
    const hostname = token === undefined ? undefined : parseAuthority(authority)?.hostname;
    const answer =
      token === undefined || hostname === undefined ? undefined : this.#source.answerChallenge?.(hostname, token);
    if (answer === undefined) return this.#next.serve(wire);
    wire.sendWhole({ status: 200, fieldList: ["content-type", "application/octet-stream"] }, answer);
  }
}

/** A token is in base64url (RFC 8555 8.3). */
const challengeTarget = /^\/\.well-known\/acme-challenge\/([A-Za-z0-9_-]+)$/;
