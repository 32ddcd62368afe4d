// Outgates: how a protocol dials addresses that no backend names.

import { kind, shape } from "../kind.ts";
import type { Part } from "../part.ts";

/** How a protocol dials addresses that no backend names. */
export const outgateKind = kind({
  name: "outgate",
  rank: 1,
  standsIn: [{ owner: "stage", naming: "none" }],
  once: true,
  part: shape<Part>(),
  owner: shape<undefined>(),
});
