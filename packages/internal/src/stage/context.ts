// The argument of `create` in a stage: everything that a component may use.

import type { ComponentContext } from "../component/context.ts";
import type { Clock } from "../fixtures/clock.ts";
import type { Fcache } from "../fixtures/fcache.ts";
import type { Namer } from "../fixtures/namer.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Operator } from "../operator/operator.ts";
import type { Readiness } from "./readiness.ts";
import type { Workers } from "./workers.ts";
import type { Listeners } from "../net/listener.ts";

/** The environment of a stage, which outlives it. A stage passes it to its components and does not use it. */
export interface Surroundings {
  /** The listening sockets of the process. */
  readonly listeners: Listeners;
  /** The worker processes of the program, this one among them. */
  readonly workers: Workers;
  /** What the components have counted. */
  readonly metrics: Metrics;
  /** What the operator of the program sees and orders while it serves. */
  readonly operator: Operator;
  /** Whether the stage is ready for requests, and why not. */
  readonly readiness: Readiness;
  /** Whether responses may expose the configuration, to help developers. Default: false. */
  readonly isDevelopment?: boolean;
}

/** The members that all components of a stage have in their contexts. */
export interface StageScope extends Surroundings {
  /** The fixtures of the stage. */
  readonly stage: StageFixtures;
}

/** The argument of `create` in a definition: its props, its log, and the services of the stage. */
export interface Context<Props = Readonly<Record<string, unknown>>, Owner = unknown>
  extends ComponentContext<Props, Owner>, StageScope {}

/** The objects that every stage has once. */
export interface StageFixtures {
  /** The current time at low cost. */
  readonly clock: Clock;
  /** Open files and small contents. */
  readonly fcache: Fcache;
  /** Resolves host names to addresses. */
  readonly namer: Namer;
  /**
   * The stage's outgate of a definition, available after it is created. Throws HEMI_STAGE_STATE if no pack of the stage
   * has it.
   */
  outgate<Made extends object>(definition: OutgateOf<Made>): Made;
}

/** The part of an outgate's definition that is needed here. */
export interface OutgateOf<Made extends object> {
  readonly sign: string;
  create(context: never): Made;
}
