// Backends: groups of equal servers that work is passed on to.

import { kind, shape } from "../kind.ts";
import type { Part } from "../part.ts";

/** A group of equal servers that work is passed on to. */
export const backendKind = kind({
  name: "backend",
  rank: 2,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});
