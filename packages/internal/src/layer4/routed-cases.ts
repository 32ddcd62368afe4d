// The cases of a router as its connections go through them: with their dealets, and what each of these counts.

import type { Child } from "../component/context.ts";
import { ownLabels } from "../metrics/labels.ts";
import type { Context } from "../stage/context.ts";
import { ConnCounts } from "./conn-counts.ts";
import { caseKind, type CasePart, type DealetPart } from "./kinds.ts";

/** A dealet of a case, which may have connections. All of its connections share this object. */
export interface Taker {
  /** The case that has matched. */
  readonly case: Child<CasePart>;
  /** A dealet of the case. */
  readonly dealet: DealetPart;
  /** Of the dealet. */
  readonly path: string;
  /** What the dealet counts. */
  readonly counts: ConnCounts;
}

/** A case with its dealets, in the order in which they are tried. */
export interface RoutedCase {
  readonly case: Child<CasePart>;
  readonly takers: readonly Taker[];
}

/** To be called in `compose` of a router. */
export function routedCases(context: Pick<Context, "name" | "path" | "metrics" | "children">): readonly RoutedCase[] {
  return context.children(caseKind).map((each) => ({
    case: each,
    takers: each.part.dealets.map(({ part: dealet, sign, path }) => {
      const counts = new ConnCounts(context.metrics, [...ownLabels(context), each.name, sign]);
      return { case: each, dealet, path, counts };
    }),
  }));
}

/** For connections that no dealet has taken. */
export function untakenCounts(context: Pick<Context, "name" | "path" | "metrics">): ConnCounts {
  return new ConnCounts(context.metrics, [...ownLabels(context), "", ""]);
}
