// The settings of a stage itself: `stage { .drainTimeout = 1m … }`.

import { definer } from "./definer.ts";
import { kind, shape } from "../component/kind.ts";
import { prop } from "../component/prop.ts";
import type { ResolvedComponent } from "../component/resolve/resolved.ts";

/** One running configuration. It stands nowhere: a configuration is one. */
const stageKind = kind({ name: "stage", rank: 0, standsIn: [], part: shape<object>(), owner: shape<undefined>() });

/** What may be set of a stage itself. It has no part of its own: the engine is its part. */
export const stageSettings = definer(stageKind)({
  sign: "stage",
  props: {
    /**
     * How long what a reload drops may go on with what it has begun: requests, downloads, WebSockets. What is not over by then is broken off. Parts
     * that a reload keeps are not concerned.
     */
    drainTimeout: prop.duration({ default: "30s", reload: "live" }),
  },
  create: () => ({}),
});

/** In milliseconds. */
export function drainTimeoutOf({ props }: ResolvedComponent): number {
  const { drainTimeout } = props;
  return typeof drainTimeout === "number" ? drainTimeout : 0;
}
