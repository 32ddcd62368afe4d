// Collects the problems of a tree.

import type { Problem } from "../../config/problem.ts";
import type { Mistake } from "../props/prop-type.ts";
import { defaultSource } from "../written.ts";
import type { Place } from "./place.ts";

export class Problems {
  readonly found: Problem[];

  /** Starts with the problems that parsing found. */
  constructor(parsing: readonly Problem[]) {
    this.found = [...parsing];
  }

  /** The message is shown unchanged. For a TypeScript object, the path replaces the position. */
  add(place: Pick<Place, "path" | "spec">, { code = "HEMI_CONFIG_BAD_VALUE", span, message, hint }: Mistake): void {
    const isDefault = span.source === defaultSource;
    this.found.push({
      code,
      message: isDefault ? `${message}; this is its default, so the definition is wrong` : message,
      hint,
      span: isDefault ? place.spec.signSpan : span,
      path: span.source.text === undefined ? place.path || "stage" : undefined,
    });
  }
}
