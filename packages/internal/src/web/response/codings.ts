// The content codings that there are, and which of them a client would rather have.

import { parseWeights, type Weighted } from "../../http/accept.ts";

/** The codings of content that compression uses, the preferred one first. */
export const codings = ["br", "zstd", "gzip"] as const;

/** By its name in `Accept-Encoding` and `Content-Encoding`. */
export type Coding = (typeof codings)[number];

/**
 * For each of `offered`, how many of them the client of this `Accept-Encoding` would rather have; `undefined` for one
 * that it does not take, or likes less than the content as it is. Of equal ones the first offered is liked more. A client
 * that sends no such field is sent no coding, although RFC 9110 section 12.5.3 would allow it.
 */
export function rankCodings(field: string, offered: readonly string[]): readonly (number | undefined)[] {
  const list = parseWeights(field);
  const anyWeight = weightOf(list, "*");
  // Not a word about the content as it is means: better than nothing.
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
