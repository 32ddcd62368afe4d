// Outgates: dial addresses that no backend names, one for each protocol.

import { kind, shape } from "../../component/kind.ts";
import type { Part } from "../../component/part.ts";
import { definer } from "../definer.ts";

/**
 * Dials addresses that no backend names. There is one for each protocol; other components get it with
 * `context.stage.outgate`.
 */
export const outgateKind = kind({
  name: "outgate",
  rank: 1,
  standsIn: [{ owner: "stage", naming: "none" }],
  once: true,
  always: true,
  part: shape<Part>(),
  owner: shape<undefined>(),
});

/** Declares an outgate: it dials addresses that no backend names. */
export const defineOutgate = definer(outgateKind);
