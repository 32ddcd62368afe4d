// The argument of `create` in a definition, as far as the component model provides it.

import type { Origin } from "../config/origin.ts";
import type { ErrorLog } from "../log/error-log.ts";
import type { Condition } from "./condition.ts";
import type { Kind } from "./kind.ts";

/** The engine adds what a stage provides to all of its components: see `Context` in stage/context.ts. */
export interface ComponentContext<Props = Readonly<Record<string, unknown>>, Owner = unknown> {
  /**
   * One object for the whole life of the component. A live change is written to it before `update` is called. Read it
   * at each use; never copy its values.
   */
  readonly props: Props;
  /** "" without a name. */
  readonly name: string;
  /**
   * For example `webapp.shop/rule.3/static`. Each step is `sign.name`; without a name `sign.N`, where N counts the
   * unnamed siblings of the same sign; `sign` if there is only one. A reload may change the path: use it in messages,
   * never as an identity.
   */
  readonly path: string;
  /** Whether a reload drops the component. A dropped component finishes its running work. */
  readonly isLeaving: boolean;
  /** A log that adds the path to its lines. */
  readonly log: ErrorLog;
  /** The part of the enclosing component, created before this one; `undefined` directly under a stage. */
  readonly owner: Owner;
  /** The condition of a rule or case; `undefined` matches everything. */
  readonly condition: Condition | undefined;
  /**
   * The direct children of one or more kinds, in the order of the text. Available from `prepare` on. Each `compose` may
   * find different children.
   */
  children<PartType extends object>(...kinds: readonly Kind<PartType>[]): readonly Child<PartType>[];
}

/** A component as its owner sees it. */
export interface Child<PartType extends object = object> {
  /** The return value of `create` in its definition. */
  readonly part: PartType;
  /** The sign in the configuration. */
  readonly sign: string;
  /** "" without a name. */
  readonly name: string;
  /** For example `webapp.shop/rule.3/static`. */
  readonly path: string;
  /**
   * Its position in the configuration file, computed on demand. `undefined` for a configuration that is a TypeScript
   * object.
   */
  readonly origin: Origin | undefined;
}
