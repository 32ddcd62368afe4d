// Staters store sessions.

import { kind, shape } from "../../component/kind.ts";
import type { Part } from "../../component/part.ts";

/** Stores sessions. */
export const staterKind = kind({
  name: "stater",
  rank: 3,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});
