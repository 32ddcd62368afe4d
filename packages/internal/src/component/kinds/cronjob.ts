// Cronjobs: work by the clock.

import { definer } from "../definition.ts";
import { kind, shape } from "../kind.ts";
import type { Part } from "../part.ts";

/** Work by the clock. */
export const cronjobKind = kind({
  name: "cronjob",
  rank: 6,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});

export const defineCronjob = definer(cronjobKind);
