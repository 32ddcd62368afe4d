// A generation: one version of a stage's tree. A reload makes the next one, which shares the unchanged components.

import { createAll, type Component, type CreationScope } from "../component/component.ts";
import type { ResolvedComponent } from "../component/resolve/resolved.ts";

export class Generation {
  /** The configuration of this generation. */
  readonly resolved: ResolvedComponent;
  /** The components directly in the stage, in the order of the text. */
  readonly roots: readonly Component[];
  /** Each component of this generation by its configuration in it. */
  readonly byResolved: ReadonlyMap<ResolvedComponent, Component>;
  #byPath: ReadonlyMap<string, Component> | undefined;

  constructor({ resolved, roots, byResolved }: Pick<Generation, "resolved" | "roots" | "byResolved">) {
    this.resolved = resolved;
    this.roots = roots;
    this.byResolved = byResolved;
  }

  /**
   * Creates all components of a stage's first generation, without I/O. Throws HEMI_STAGE_CREATE if one cannot be
   * created.
   */
  static first(resolved: ResolvedComponent, scope: CreationScope): Generation {
    const roots = createAll(resolved.children, undefined, scope);
    const byResolved = new Map([...withDescendants(roots)].map((component) => [component.resolved, component]));
    for (const component of byResolved.keys()) linkReferences(component, byResolved);
    return new Generation({ resolved, roots, byResolved });
  }

  /** All components, owners before their children, in the order of the text. */
  components(): Iterable<Component> {
    return withDescendants(this.roots);
  }

  find(path: string): Component | undefined {
    this.#byPath ??= new Map([...this.components()].reverse().map((component) => [component.path, component]));
    return this.#byPath.get(path);
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
