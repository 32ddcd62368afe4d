// A component that has been created: its part, and what the engine knows of it.

import { originOf, type Origin } from "../config/origin.ts";
import { HemiError } from "../errors/hemi-error.ts";
import type { ErrorLog } from "../log/error-log.ts";
import type { Capability } from "./capability.ts";
import type { Child, ComponentContext } from "./context.ts";
import type { Definition } from "./definition.ts";
import type { Kind } from "./kind.ts";
import type { Part } from "./part.ts";
import { isOfKind } from "./reference-slot.ts";
import type { PartHolder } from "./reference-slot.ts";
import type { ResolvedComponent } from "./resolve/resolved.ts";

/** What all components of a stage are created with. */
export interface CreationScope {
  readonly log: ErrorLog;
  /** What the context of each holds beside what is the component's own. */
  readonly stageScope: object;
  /** Called with each component as soon as it is created. */
  readonly created: (component: Component) => void;
}

export class Component implements PartHolder {
  readonly kind: Kind;
  readonly definition: Definition;
  readonly sign: string;
  /** "" if it has none. */
  readonly name: string;
  readonly path: string;
  readonly part: Part;
  readonly log: ErrorLog;
  /** In the order of the text. */
  readonly children: readonly Component[];
  readonly resolved: ResolvedComponent;
  readonly #props: Record<string, unknown>;

  /** Creates the component, then those that stand in it. */
  constructor(resolved: ResolvedComponent, owner: Component | undefined, scope: CreationScope) {
    const { definition, sign, name, path, condition } = resolved;
    if (definition === undefined) throw new TypeError(`${sign} has no definition`);
    this.resolved = resolved;
    this.definition = definition;
    this.kind = definition.kind;
    this.sign = sign;
    this.name = name;
    this.path = path;
    this.log = scope.log.withPath(path);
    this.#props = { ...resolved.props };
    const context: ComponentContext = {
      ...scope.stageScope,
      props: this.#props,
      name,
      path,
      log: this.log,
      owner: owner?.part,
      condition,
      children: (kind) => this.childrenOf(kind),
    };
    this.part = makePart(definition, context);
    scope.created(this);
    this.children = createAll(resolved.children, this, scope);
  }

  get origin(): Origin | undefined {
    return originOf(this.resolved.span);
  }

  get offers(): readonly Capability[] {
    return this.definition.offers ?? [];
  }

  childrenOf<PartType extends object>(kind: Kind<PartType>): readonly Child<PartType>[] {
    const children: Child<PartType>[] = [];
    for (const child of this.children) if (isOfKind(child, kind)) children.push(child);
    return children;
  }

  /** Puts new values of live props in place, then tells the part. `changed` holds no other names than those of `values`. */
  async update(values: Readonly<Record<string, unknown>>, changed: ReadonlySet<string>): Promise<void> {
    for (const name of changed) this.#props[name] = values[name];
    await this.part.update?.(changed);
  }
}

/** Creates siblings, lowest rank first, and gives them in the order of the text. */
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
  // Types rule these out, but not everybody writes TypeScript.
  const lack = part instanceof Promise ? "a promise: what takes time is for prepare" : "nothing";
  if (part instanceof Promise || typeof part !== "object" || part === null) {
    throw new HemiError("HEMI_STAGE_CREATE", `${context.path} could not be created: create returned ${lack}`);
  }
  return part;
}
