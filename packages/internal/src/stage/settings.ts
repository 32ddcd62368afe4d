// The settings of a stage itself: `stage { .drainTimeout = 1m … }`.

import { definer } from "./definer.ts";
import { kind, shape } from "../component/kind.ts";
import { prop } from "../component/prop.ts";
import type { ResolvedComponent } from "../component/resolve/resolved.ts";

/** One running configuration. A configuration is one, so it has no place inside another component. */
const stageKind = kind({ name: "stage", rank: 0, standsIn: [], part: shape<object>(), owner: shape<undefined>() });

/** The settings of a stage. It has no part: the engine takes this role. */
export const stageSettings = definer(stageKind)({
  sign: "stage",
  props: {
    /**
     * How long components that a reload drops may continue their running work: requests, downloads, WebSockets. Work
     * that is still running after this time is aborted. Components that a reload keeps are not affected.
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
