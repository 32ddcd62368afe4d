// Collects what is wrong with a tree, and what is only doubtful.

import type { Problem } from "../../config/problem.ts";
import type { Mistake } from "../props/prop-type.ts";
import { defaultSource } from "../written.ts";
import type { Place } from "./place.ts";

export class Problems {
  readonly found: Problem[];
  /** What is allowed, and most likely not meant. */
  readonly doubts: Problem[] = [];

  /** Starts with the problems that parsing found. */
  constructor(parsing: readonly Problem[]) {
    this.found = [...parsing];
  }

  /**
   * The mistake's message is shown as it is. Where a TypeScript object is the source, the place stands in for the
   * position.
   */
  add(place: Pick<Place, "path" | "spec">, mistake: Mistake): void {
    this.found.push(problemOf(place, mistake));
  }

  /** Like `add`, for a warning. */
  doubt(place: Pick<Place, "path" | "spec">, mistake: Mistake): void {
    this.doubts.push(problemOf(place, { ...mistake, code: "HEMI_CONFIG_DOUBT" }));
  }
}

function problemOf(
  place: Pick<Place, "path" | "spec">,
  { code = "HEMI_CONFIG_BAD_VALUE", span, message, hint }: Mistake,
): Problem {
  const isDefault = span.source === defaultSource;
  return {
    code,
    message: isDefault ? `${message}; this is its default, so the definition is wrong` : message,
    hint,
    span: isDefault ? place.spec.signSpan : span,
    path: span.source.text === undefined ? place.path || "stage" : undefined,
  };
}
