// Layer-4 routers, with their cases and dealets.

import { kind, shape } from "../../component/kind.ts";
import type { Part } from "../../component/part.ts";

/** A layer-4 router: listens for connections. */
export const routerKind = kind({
  name: "router",
  rank: 5,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});

/** A condition on connections, with the dealets that handle them. */
export const caseKind = kind({
  name: "case",
  rank: 5,
  standsIn: [{ owner: "router", naming: "optional" }],
  takesCondition: true,
  part: shape<Part>(),
  owner: shape<Part>(),
});

/** Handles a connection. */
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
