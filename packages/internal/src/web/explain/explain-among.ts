// Finds the server of a stage for a request, and explains the request there.

import { isDeepStrictEqual } from "node:util";
import { HemiError } from "../../errors/hemi-error.ts";
import type { Explainable } from "../server-capabilities.ts";
import { labelOf, type ComponentLabel } from "../../component/explain-rows.ts";
import type { ExplainRequest, Walk } from "./explanation.ts";

/** `into` is the path or name of the server; without it, the URL determines it. */
export async function explainAmong(
  candidates: readonly (ComponentLabel & { readonly part: Explainable })[],
  request: ExplainRequest,
  into: string | undefined,
): Promise<Walk> {
  const known = candidates.map((server) => ({ server, told: server.part.explainRequest(request) }));
  const [first] = known;
  if (first === undefined) throw new HemiError("HEMI_USAGE", "the stage has no server that can explain a request");
  const listed = known.map(({ server }) => server.path).join(", ");
  const named = known.filter(({ server }) => server.path === into || server.name === into);
  if (into !== undefined && named.length !== 1) {
    throw new HemiError("HEMI_USAGE", `no server has the path or name ${JSON.stringify(into)}; there are: ${listed}`);
  }
  const reached = into === undefined ? known.filter(({ told }) => told.isReached) : named;
  const servers = known.map(({ server, told: { listens, isReached, reason } }) => {
    return { server: labelOf(server), listens, isReached, reason };
  });
  const head = { request: first.told.request, servers };
  const ways = await Promise.all(reached.map(({ told }) => told.walk()));
  const [way, ...others] = ways;
  if (way === undefined) {
    const text = "no server listens there; --server NAME tells how it would go on in one of them";
    return { ...head, outcome: { type: "unreached", text } };
  }
  if (!others.every((other) => isDeepStrictEqual(other, way))) {
    const names = reached.map(({ server }) => server.path).join(", ");
    const text = `it may come to ${names}, which differ in it: --server NAME tells how it goes on in one of them`;
    return { ...head, outcome: { type: "unclear", text } };
  }
  const [taker] = reached;
  return { ...head, ...(others.length === 0 && taker && { server: taker.server.path }), ...way };
}
