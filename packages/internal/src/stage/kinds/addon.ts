// Addons: background parts of a user's own, on the stage's life cycle.

import { kind, shape } from "../../component/kind.ts";
import type { Part } from "../../component/part.ts";
import { definer } from "../definer.ts";

/** A background part of a user's own. */
export const addonKind = kind({
  name: "addon",
  rank: 1,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});

/** Declares a background component of your own, which stands directly in the stage. */
export const defineAddon = definer(addonKind);
