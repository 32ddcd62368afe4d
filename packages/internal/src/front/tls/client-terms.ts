// The requirements on clients in a handshake.

import { createHash } from "node:crypto";

/**
 * `optional`: the client is asked for a certificate; a missing or invalid one is accepted. `required`: the connection
 * fails without a valid one.
 */
export type ClientDemand = "none" | "optional" | "required";

/** The client certificates that are requested, and the authorities for them. */
export interface ClientTerms {
  /**
   * Equal for equal requirements, "" for none. It is derived from the content of the authority files, so that a session
   * under one set of terms is not valid under another set, even if both name the same files.
   */
  readonly id: string;
  /** Whether a certificate is requested or required. */
  readonly demand: ClientDemand;
  /** The authorities for client certificates, each in PEM. */
  readonly authorities: readonly string[];
}

/** No requirements. */
export const noTerms: ClientTerms = { id: "", demand: "none", authorities: [] };

/** Terms with a demand. `authorities` are certificates, each in PEM. */
export function clientTerms(demand: ClientDemand, authorities: readonly string[]): ClientTerms {
  return demand === "none" ? noTerms : { id: idOf(demand, authorities), demand, authorities };
}

/** Terms whose files have not been read yet: for comparison with each other, not for handshakes. */
export function unreadTerms(demand: ClientDemand, files: readonly string[]): ClientTerms {
  return demand === "none" ? noTerms : { id: idOf(demand, files), demand, authorities: [] };
}

function idOf(demand: ClientDemand, parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return `${demand} ${hash.digest("base64url")}`;
}
