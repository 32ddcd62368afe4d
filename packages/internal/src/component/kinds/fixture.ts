// Fixtures: what every stage has once, whether its configuration names it or not.

import { definer } from "../definition.ts";
import { kind, shape } from "../kind.ts";

/** A part that every stage has once, whether its configuration names it or not. */
export const fixtureKind = kind({
  name: "fixture",
  rank: 0,
  standsIn: [{ owner: "stage", naming: "none" }],
  once: true,
  always: true,
  // Whatever a fixture can do. Methods of the life cycle (part.ts) are called if it has them.
  part: shape<object>(),
  owner: shape<undefined>(),
});

export const defineFixture = definer(fixtureKind);
