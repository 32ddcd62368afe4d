// Cronjobs: scheduled work.

import { kind, shape } from "../../component/kind.ts";
import type { Part } from "../../component/part.ts";
import { definer } from "../definer.ts";

/** Scheduled work. */
export const cronjobKind = kind({
  name: "cronjob",
  rank: 8,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});

/** Declares scheduled work. */
export const defineCronjob = definer(cronjobKind);
