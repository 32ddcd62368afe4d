// What `create` of a definition gets from the component model.

import type { Origin } from "../config/origin.ts";
import type { ErrorLog } from "../log/error-log.ts";
import type { Condition } from "./condition.ts";
import type { Kind } from "./kind.ts";

/** The engine adds what a stage has for all of its components: see `Context` in stage/context.ts. */
export interface ComponentContext<Props = Readonly<Record<string, unknown>>, Owner = unknown> {
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
  /** The part that this one stands in, created before it; `undefined` under a stage. */
  readonly owner: Owner;
  /** Of a rule or case; `undefined` matches all. */
  readonly condition: Condition | undefined;
  /**
   * The direct children of a kind, or of several, in the order of the text. They are there from `prepare` on, and may be others at each `compose`.
   */
  children<PartType extends object>(...kinds: readonly Kind<PartType>[]): readonly Child<PartType>[];
}

/** A component as its owner sees it. */
export interface Child<PartType extends object = object> {
  /** What `create` of its definition returned. */
  readonly part: PartType;
  /** The word in the configuration that picked it. */
  readonly sign: string;
  /** "" if it has none. */
  readonly name: string;
  /** Like `webapp.shop/rule.3/static`. */
  readonly path: string;
  /** Where it stands in its file; worked out when asked for. `undefined` for what comes from a TypeScript object. */
  readonly origin: Origin | undefined;
}
