// Which server of a stage a request leads to, and what becomes of it there.

import type { Component } from "../component/component.ts";
import { labelOf, type ExplainRequest, type Walk } from "../component/explanation.ts";
import { HemiError } from "../errors/hemi-error.ts";

/** `into` is the path or name of the server; without it, it must be clear from the URL which one is meant. */
export async function explainAmong(
  roots: readonly Component[],
  request: ExplainRequest,
  into: string | undefined,
): Promise<Walk> {
  const known = roots.flatMap((server) => {
    const told = server.part.explainRequest?.(request);
    return told === undefined ? [] : [{ server, told }];
  });
  const [first] = known;
  if (first === undefined) throw new HemiError("HEMI_USAGE", "the stage has no server that can explain a request");
  const listed = known.map(({ server }) => server.path).join(", ");
  const named = known.filter(({ server }) => server.path === into || server.name === into);
  if (into !== undefined && named.length !== 1) {
    throw new HemiError("HEMI_USAGE", `no server has the path or name ${JSON.stringify(into)}; there are: ${listed}`);
  }
  const reached = into === undefined ? known.filter(({ told }) => told.isReached) : named;
  if (reached.length > 1) {
    const which = reached.map(({ server }) => server.path).join(", ");
    throw new HemiError("HEMI_USAGE", `several servers could get the request; say which: ${which}`);
  }
  const servers = known.map(({ server, told: { listens, isReached, reason } }) => {
    return { server: labelOf(server), listens, isReached, reason };
  });
  const head = { request: first.told.request, servers };
  const [taker] = reached;
  if (taker === undefined) return { ...head, outcome: { type: "unreached", text: "no server listens there" } };
  return { ...head, server: taker.server.path, ...(await taker.told.walk()) };
}
