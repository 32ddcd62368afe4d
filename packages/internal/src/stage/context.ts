// What `create` of a definition gets in a stage: all that a component may know of the world.

import type { ComponentContext } from "../component/context.ts";
import type { Clock } from "../fixtures/clock.ts";
import type { Fcache } from "../fixtures/fcache.ts";
import type { Namer } from "../fixtures/namer.ts";
import type { Listeners } from "../net/listener.ts";

/** What lies around a stage and outlives it. A stage hands it through to its components, and looks at nothing in it. */
export interface Surroundings {
  /** The listening sockets of the process. */
  readonly listeners: Listeners;
  /** Whether peers may be told of the configuration, to help those who write it. Default: false. */
  readonly isDevelopment?: boolean;
}

/** What all components of a stage find in their contexts. */
export interface StageScope extends Surroundings {
  /** What its stage has once: the fixtures. */
  readonly stage: StageFixtures;
}

/** What `create` of a definition gets: its props, its log, and what the stage has. */
export interface Context<Props = Readonly<Record<string, unknown>>, Owner = unknown>
  extends ComponentContext<Props, Owner>, StageScope {}

/** What every stage has once. */
export interface StageFixtures {
  /** The time, cheaply. */
  readonly clock: Clock;
  /** Open files and small contents. */
  readonly fcache: Fcache;
  /** Host names to addresses. */
  readonly namer: Namer;
  /** The one outgate of a definition, from the moment on that it is created. Throws HEMI_STAGE_STATE where no pack of the stage has it. */
  outgate<Made extends object>(definition: OutgateOf<Made>): Made;
}

/** What the definition of an outgate tells of it here. */
export interface OutgateOf<Made extends object> {
  readonly sign: string;
  create(context: never): Made;
}
