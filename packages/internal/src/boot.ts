// The engine put together: the functions that boot stages with the kinds and the components of this package.

import type { Pack } from "./component/pack.ts";
import { corePack } from "./core-pack.ts";
import { clock, fcache, namer } from "./fixtures/definitions.ts";
import { kinds } from "./kinds.ts";
import { openErrorLog } from "./log/error-log.ts";
import { Listeners } from "./net/listener.ts";
import { makeBoot, type Boot } from "./stage/boot.ts";

/** The functions that boot stages in which, beside the engine's own components, those of `packs` need no `use`. */
export function bootWith<const Packs extends readonly Pack[]>(
  packs: Packs,
): Boot<readonly [typeof corePack, ...Packs]> {
  return makeBoot<readonly [typeof corePack, ...Packs]>({
    kinds,
    packs: [corePack, ...packs],
    fixtures: { clock, fcache, namer },
    openLog: () => openErrorLog(),
    makeListeners: () => processListeners,
  });
}

/** The listening sockets of the process. They are there for all stages of it, so that one can follow another on its port. */
const processListeners = new Listeners();
