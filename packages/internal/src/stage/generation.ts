// A generation: one version of a stage's tree. A reload makes the next one, which shares the unchanged components.

import { createAll, type Component, type CreationScope } from "../component/component.ts";
import type { ResolvedComponent } from "../component/resolve/resolved.ts";

export class Generation {
  /** The configuration of this generation. */
  readonly resolved: ResolvedComponent;
  /** The components directly in the stage, in the order of the text. */
  readonly roots: readonly Component[];
  #byPath: ReadonlyMap<string, Component> | undefined;

  constructor(resolved: ResolvedComponent, roots: readonly Component[]) {
    this.resolved = resolved;
    this.roots = roots;
  }

  /**
   * Creates all components of a stage's first generation, without I/O. Throws HEMI_STAGE_CREATE if one cannot be
   * created.
   */
  static first(resolved: ResolvedComponent, scope: CreationScope): Generation {
    const generation = new Generation(resolved, createAll(resolved.children, undefined, scope));
    const byResolved = generation.byResolved();
    for (const component of generation.components()) linkReferences(component.resolved, byResolved);
    return generation;
  }

  /** All components, owners before their children, in the order of the text. */
  components(): Iterable<Component> {
    return withDescendants(this.roots);
  }

  find(path: string): Component | undefined {
    this.#byPath ??= new Map([...this.components()].reverse().map((component) => [component.path, component]));
    return this.#byPath.get(path);
  }

  byResolved(): Map<ResolvedComponent, Component> {
    return new Map([...this.components()].map((component) => [component.resolved, component]));
  }
}

/** Components with all descendants, owners before their children. */
export function* withDescendants(components: readonly Component[]): Iterable<Component> {
  for (const component of components) {
    yield component;
    yield* withDescendants(component.children);
  }
}

/** Links the references of a component to their targets. */
export function linkReferences(
  { references }: ResolvedComponent,
  byResolved: ReadonlyMap<ResolvedComponent, Component>,
): void {
  for (const { slot, target } of references) {
    const component = byResolved.get(target);
    if (component !== undefined) slot.link(component);
  }
}
