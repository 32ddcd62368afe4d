// Routers of layer 4, with their cases and dealets.

import { kind, shape } from "../../component/kind.ts";
import type { Part } from "../../component/part.ts";

/** Layer 4: a listener for connections. */
export const routerKind = kind({
  name: "router",
  rank: 5,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});

/** A condition on connections with what is done with them. */
export const caseKind = kind({
  name: "case",
  rank: 5,
  standsIn: [{ owner: "router", naming: "optional" }],
  takesCondition: true,
  part: shape<Part>(),
  owner: shape<Part>(),
});

/** What is done with a connection. */
export const dealetKind = kind({
  name: "dealet",
  rank: 5,
  standsIn: [
    { owner: "router", naming: "required" },
    { owner: "case", naming: "optional" },
  ],
  part: shape<Part>(),
  owner: shape<Part>(),
});
