// Cronjobs: work by the clock.

import { kind, shape } from "../../component/kind.ts";
import type { Part } from "../../component/part.ts";
import { definer } from "../definer.ts";

/** Work by the clock. */
export const cronjobKind = kind({
  name: "cronjob",
  rank: 6,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});

/** Declares scheduled work. */
export const defineCronjob = definer(cronjobKind);
