// The content codings, and negotiation of the coding with the client.

import { parseWeights, type Weighted } from "../../http/accept.ts";

/** The codings for compression, in the order of preference. */
export const codings = ["br", "zstd", "gzip"] as const;

/** The name in `Accept-Encoding` and `Content-Encoding`. */
export type Coding = (typeof codings)[number];

/**
 * For each of `offered`, how many of them the client of this `Accept-Encoding` prefers to it; `undefined` if the client
 * does not accept it, or prefers unencoded content. Of equal ones, the first offered is preferred. A client without
 * such a field gets no coding, although RFC 9110 section 12.5.3 would allow it.
 */
export function rankCodings(field: string, offered: readonly string[]): readonly (number | undefined)[] {
  const list = parseWeights(field);
  const anyWeight = weightOf(list, "*");
  // If unencoded content is not mentioned, any accepted coding is better.
  const plainWeight = weightOf(list, "identity") ?? 0;
  const weights = offered.map((coding) => {
    const weight = weightOf(list, coding) ?? (coding === "gzip" ? weightOf(list, "x-gzip") : undefined) ?? anyWeight;
    return weight === undefined || weight === 0 || weight < plainWeight ? 0 : weight;
  });
  return weights.map((weight, i) =>
    weight === 0 ? undefined : weights.filter((other, j) => other > weight || (other === weight && j < i)).length,
  );
}

function weightOf(list: readonly Weighted[], name: string): number | undefined {
  return list.find((one) => one.name === name)?.weight;
}
