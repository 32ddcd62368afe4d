// Staters, where sessions are kept, and cachers, where web responses are.

import { kind, shape } from "../../component/kind.ts";
import type { Part } from "../../component/part.ts";

/** Where sessions are kept. */
export const staterKind = kind({
  name: "stater",
  rank: 3,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});

/** Where web responses are cached. */
export const cacherKind = kind({
  name: "cacher",
  rank: 3,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});
