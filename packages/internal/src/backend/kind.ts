// Backends: groups of equal servers that work is passed on to.

import { kind, shape } from "../component/kind.ts";
import type { Part } from "../component/part.ts";
import { definer } from "../stage/definer.ts";

/** A group of equal servers that work is passed on to. What can be asked of it is said by the capabilities that it offers. */
export const backendKind = kind({
  name: "backend",
  rank: 2,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});

export const defineBackend = definer(backendKind);
