// Backends: groups of equal servers that work is passed on to.

import { kind, shape } from "../kind.ts";
import type { Part } from "../part.ts";

export const backendKind = kind({
  name: "backend",
  rank: 2,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});
