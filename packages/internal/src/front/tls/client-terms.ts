// What a client has to show of itself in a handshake.

import { createHash } from "node:crypto";

/**
 * `optional`: the client is asked for a certificate and may have none, or a wrong one. `required`: there is no
 * connection without a right one.
 */
export type ClientDemand = "none" | "optional" | "required";

/** What is asked of clients, and who has to vouch for them. */
export interface ClientTerms {
  /**
   * Equal for terms that ask the same of clients, "" for those that ask nothing. It is made from what the files of the
   * authorities hold, so that a handshake made under one says nothing to whoever has another, even if both name the
   * same files.
   */
  readonly id: string;
  /** Whether they are asked for a certificate, and need one. */
  readonly demand: ClientDemand;
  /** The certificates of the authorities that those of clients have to lead to, each in PEM. */
  readonly authorities: readonly string[];
}

/** Nothing is asked. */
export const noTerms: ClientTerms = { id: "", demand: "none", authorities: [] };

/** Terms with a demand. `authorities` are certificates, each in PEM. */
export function clientTerms(demand: ClientDemand, authorities: readonly string[]): ClientTerms {
  return demand === "none" ? noTerms : { id: idOf(demand, authorities), demand, authorities };
}

/** Terms whose files have not been read yet: to compare with each other, not for handshakes. */
export function unreadTerms(demand: ClientDemand, files: readonly string[]): ClientTerms {
  return demand === "none" ? noTerms : { id: idOf(demand, files), demand, authorities: [] };
}

function idOf(demand: ClientDemand, parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return `${demand} ${hash.digest("base64url")}`;
}
