// A component after its creation: its part, and the data that the engine keeps about it.

import { opening } from "@hemi/common";
import { originOf, type Origin } from "../config/origin.ts";
import { HemiError } from "../errors/hemi-error.ts";
import type { ErrorLog } from "../log/error-log.ts";
import type { Capability } from "./capability.ts";
import type { Condition } from "./condition.ts";
import type { Child, ComponentContext } from "./context.ts";
import type { Definition } from "./definition.ts";
import type { Kind } from "./kind.ts";
import type { Part } from "./part.ts";
import { isOfKind } from "./reference-slot.ts";
import type { PartHolder } from "./reference-slot.ts";
import type { ResolvedComponent } from "./resolve/resolved.ts";

/** Input for the creation of all components of a stage. */
export interface CreationScope {
  readonly log: ErrorLog;
  /** The members of every context that are not specific to one component. */
  readonly stageScope: object;
  /** Called with each component as soon as it is created. */
  readonly created: (component: Component) => void;
}

export class Component implements PartHolder {
  readonly kind: Kind;
  readonly definition: Definition;
  readonly sign: string;
  /** "" without a name. */
  readonly name: string;
  readonly part: Part;
  readonly log: ErrorLog;
  /** How far its life cycle has progressed. */
  phase: "created" | "prepared" | "shut down" = "created";
  /** Whether a reload drops it. */
  isLeaving = false;
  readonly #props: Record<string, unknown>;
  #resolved: ResolvedComponent;
  #children: readonly Component[];

  /** Creates the component, then its children. */
  constructor(resolved: ResolvedComponent, owner: Component | undefined, scope: CreationScope) {
    const { definition, sign, name, condition } = resolved;
    if (definition === undefined) throw new TypeError(`${sign} has no definition`);
    this.#resolved = resolved;
    this.definition = definition;
    this.kind = definition.kind;
    this.sign = sign;
    this.name = name;
    this.log = scope.log.withPath(() => this.path);
    this.#props = { ...resolved.props };
    const context = Object.assign(new OwnContext(this, this.#props, owner?.part, condition), scope.stageScope);
    this.part = makePart(definition, context);
    scope.created(this);
    this.#children = [];
    this.#children = createAll(resolved.children, this, scope);
  }

  /** Its configuration in the current generation. */
  get resolved(): ResolvedComponent {
    return this.#resolved;
  }

  /** The children, in the order of the text. */
  get children(): readonly Component[] {
    return this.#children;
  }

  /** The path. A reload may change it. */
  get path(): string {
    return this.#resolved.path;
  }

  get origin(): Origin | undefined {
    return originOf(this.resolved.span);
  }

  get offers(): readonly Capability[] {
    return this.definition.offers ?? [];
  }

  childrenOf<PartType extends object>(...kinds: readonly Kind<PartType>[]): readonly Child<PartType>[] {
    const children: Child<PartType>[] = [];
    for (const child of this.children) for (const kind of kinds) if (isOfKind(child, kind)) children.push(child);
    return children;
  }

  /** Moves the component to its place in the next generation. */
  adopt(resolved: ResolvedComponent, children: readonly Component[]): void {
    this.#resolved = resolved;
    this.#children = children;
  }

  /**
   * Writes new values of live props to `props`, then calls `update` of the part. `changed` contains only names of
   * `values`.
   */
  update(values: Readonly<Record<string, unknown>>, changed: ReadonlySet<string>): void {
    for (const name of changed) this.#props[name] = values[name];
    opening(this, () => this.part.update?.(changed));
  }
}

/** What a component may use. All are of one shape: one with getters of its own would be slow to read. */
class OwnContext implements ComponentContext {
  readonly props: Readonly<Record<string, unknown>>;
  readonly name: string;
  readonly log: ErrorLog;
  readonly owner: unknown;
  readonly condition: Condition | undefined;
  readonly children: ComponentContext["children"];
  readonly #component: Component;

  constructor(component: Component, props: Record<string, unknown>, owner: unknown, condition: Condition | undefined) {
    this.props = props;
    this.name = component.name;
    this.log = component.log;
    this.owner = owner;
    this.condition = condition;
    this.children = (...kinds) => component.childrenOf(...kinds);
    this.#component = component;
  }

  get path(): string {
    return this.#component.path;
  }

  get isLeaving(): boolean {
    return this.#component.isLeaving;
  }
}

/** Creates siblings in the order of their rank, lowest first. Returns them in the order of the text. */
export function createAll(
  siblings: readonly ResolvedComponent[],
  owner: Component | undefined,
  scope: CreationScope,
): readonly Component[] {
  const created = new Map<ResolvedComponent, Component>();
  const byRank = siblings.toSorted((a, b) => rankOf(a) - rankOf(b));
  for (const resolved of byRank) created.set(resolved, new Component(resolved, owner, scope));
  return siblings.map((resolved) => created.get(resolved)).filter((component) => component !== undefined);
}

function rankOf({ definition }: ResolvedComponent): number {
  return definition?.kind.rank ?? 0;
}

function makePart(definition: Definition, context: ComponentContext): Part {
  let part: unknown;
  try {
    part = definition.create(context);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HemiError("HEMI_STAGE_CREATE", `${context.path} could not be created: ${reason}`, { cause });
  }
  // TypeScript excludes these cases, but some components are written in JavaScript.
  if (typeof part === "object" && part !== null && !(part instanceof Promise)) return part;
  throw new HemiError("HEMI_STAGE_CREATE", `${context.path} could not be created: create returned ${describe(part)}`);
}

/** What `create` returned in place of a part. */
function describe(made: unknown): string {
  if (made instanceof Promise) return "a promise: what takes time is for prepare";
  if (made === undefined || made === null) return "nothing";
  return `a ${typeof made}, not an object`;
}
