// Routers of layer 4, with their cases and dealets.

import { kind, shape } from "../kind.ts";
import type { Part } from "../part.ts";

export const routerKind = kind({
  name: "router",
  rank: 5,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});

export const caseKind = kind({
  name: "case",
  rank: 5,
  standsIn: [{ owner: "router", naming: "optional" }],
  takesCondition: true,
  part: shape<Part>(),
  owner: shape<Part>(),
});

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
