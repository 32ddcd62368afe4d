// Outgates: how a protocol dials addresses that no backend names.

import { definer } from "../definition.ts";
import { kind, shape } from "../kind.ts";
import type { Part } from "../part.ts";

/** How a protocol dials addresses that no backend names. There is one for each protocol; whoever needs it asks the stage: `context.stage.outgate`. */
export const outgateKind = kind({
  name: "outgate",
  rank: 1,
  standsIn: [{ owner: "stage", naming: "none" }],
  once: true,
  always: true,
  part: shape<Part>(),
  owner: shape<undefined>(),
});

export const defineOutgate = definer(outgateKind);
