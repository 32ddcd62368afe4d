// What `create` of a definition gets: all that a component may know of the world.

import type { Origin } from "../config/origin.ts";
import type { Clock } from "../fixtures/clock.ts";
import type { Fcache } from "../fixtures/fcache.ts";
import type { Namer } from "../fixtures/namer.ts";
import type { ErrorLog } from "../log/error-log.ts";
import type { Listeners } from "../net/listener.ts";
import type { Condition } from "./condition.ts";
import type { Kind } from "./kind.ts";

/** What lies around a stage and outlives it. A stage hands it through to its components, and looks at nothing in it. */
export interface Surroundings {
  readonly listeners: Listeners;
  /** Whether peers may be told of the configuration, to help those who write it. Default: false. */
  readonly isDevelopment?: boolean;
}

export interface Context<Props = Readonly<Record<string, unknown>>, Owner = unknown> extends Surroundings {
  /** One stable object. A live change is written into it before `update` is called: read it when used, never copy. */
  readonly props: Props;
  /** "" if it has none. */
  readonly name: string;
  /**
   * Like `webapp.shop/rule.3/static`: `sign.name`, else `sign.N`, the Nth unnamed sibling of its sign, else `sign`, the only one. A reload may change
   * it: it is for messages, never an identity.
   */
  readonly path: string;
  /** Whether a reload drops the component: it is replaced or gone, and ends what runs. */
  readonly isLeaving: boolean;
  /** Carries the path. */
  readonly log: ErrorLog;
  /** One object for all components of a stage. */
  readonly stage: StageFixtures;
  /** The part that this one stands in, created before it; `undefined` under a stage. */
  readonly owner: Owner;
  /** Of a rule or case; `undefined` matches all. */
  readonly condition: Condition | undefined;
  /**
   * The direct children of a kind, or of several, in the order of the text. They are there from `prepare` on, and may be others at each `compose`.
   */
  children<PartType extends object>(...kinds: readonly Kind<PartType>[]): readonly Child<PartType>[];
}

export interface Child<PartType extends object = object> {
  readonly part: PartType;
  readonly sign: string;
  /** "" if it has none. */
  readonly name: string;
  readonly path: string;
  /** Where it stands in its file; worked out when asked for. `undefined` for what comes from a TypeScript object. */
  readonly origin: Origin | undefined;
}

/** What every stage has once. */
export interface StageFixtures {
  readonly clock: Clock;
  readonly fcache: Fcache;
  readonly namer: Namer;
  /** The one outgate of a definition, from the moment on that it is created. Throws HEMI_STAGE_STATE where no pack of the stage has it. */
  outgate<Made extends object>(definition: OutgateOf<Made>): Made;
}

/** What the definition of an outgate tells of it here. */
export interface OutgateOf<Made extends object> {
  readonly sign: string;
  create(context: never): Made;
}
