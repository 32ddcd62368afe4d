// What a client has to show of itself in a handshake.

/** `optional`: it is asked for a certificate and may have none, or a wrong one. `required`: without a right one there is no connection. */
export type ClientDemand = "none" | "optional" | "required";

export interface ClientTerms {
  /** Equal for terms that ask the same of clients, "" where nothing is asked: a handshake made under one says nothing of a client to who has another. */
  readonly name: string;
  readonly demand: ClientDemand;
  /** Files with the certificates of the authorities that those of clients have to lead to: PEM. */
  readonly authorities: readonly string[];
}

export function clientTerms(demand: ClientDemand, authorities: readonly string[]): ClientTerms {
  return demand === "none" ? noTerms : { name: [demand, ...authorities].join("\n"), demand, authorities };
}

export const noTerms: ClientTerms = { name: "", demand: "none", authorities: [] };
