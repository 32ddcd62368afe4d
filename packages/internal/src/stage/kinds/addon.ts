// Addons: a user's own background components, with the stage's life cycle.

import { kind, shape } from "../../component/kind.ts";
import type { Part } from "../../component/part.ts";
import { definer } from "../definer.ts";

/** A user's own background component. */
export const addonKind = kind({
  name: "addon",
  rank: 1,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});

/** Declares your own background component, directly in the stage. */
export const defineAddon = definer(addonKind);
