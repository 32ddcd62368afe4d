// The order of `compose`: each component after its children and after the components that it refers to.

import type { Component } from "../component/component.ts";
import type { ResolvedComponent } from "../component/resolve/resolved.ts";
import type { Failure } from "./failure.ts";
import type { Generation } from "./generation.ts";

/**
 * Calls `compose` of these components only. Stops at the first failure, which is a bug of that part: composing must not
 * fail.
 */
export function compose(components: ReadonlySet<Component>, generation: Generation): readonly Failure[] {
  const { byResolved } = generation;
  const done = new Set<Component>();
  let failure: Failure | undefined;
  const visit = (component: Component): void => {
    if (done.has(component) || failure !== undefined) return;
    done.add(component);
    for (const child of component.children) if (components.has(child)) visit(child);
    for (const target of targetsOf(component, byResolved)) if (components.has(target)) visit(target);
    try {
      component.part.compose?.();
    } catch (error) {
      failure ??= { path: component.path, done: "composed", error };
    }
  };
  for (const component of components) visit(component);
  return failure === undefined ? [] : [failure];
}

/** The components of a generation that have one of `changed` among their children or refer to one, directly or not. */
export function dependentsOf(changed: Iterable<Component>, generation: Generation): Set<Component> {
  const owners = new Map<Component, Component>();
  for (const owner of generation.components()) for (const child of owner.children) owners.set(child, owner);
  return reach(changed, generation, owners);
}

/** Those of a generation that refer to one of `used`, directly or not. */
export function usersOf(used: Iterable<Component>, generation: Generation): Set<Component> {
  return reach(used, generation, new Map());
}

/** Those of a generation that refer to one of `from` or own it, or refer to or own one of those, and so on. */
function reach(
  from: Iterable<Component>,
  generation: Generation,
  owners: ReadonlyMap<Component, Component>,
): Set<Component> {
  const referrers = new Map<Component, Component[]>();
  for (const component of generation.components()) {
    for (const target of targetsOf(component, generation.byResolved)) {
      const known = referrers.get(target);
      if (known === undefined) referrers.set(target, [component]);
      else known.push(component);
    }
  }
  const found = new Set<Component>();
  const spread = (component: Component): void => {
    const owner = owners.get(component);
    for (const dependent of [...(owner === undefined ? [] : [owner]), ...(referrers.get(component) ?? [])]) {
      if (found.has(dependent)) continue;
      found.add(dependent);
      spread(dependent);
    }
  };
  for (const component of from) spread(component);
  return found;
}

function targetsOf(
  { resolved }: Component,
  byResolved: ReadonlyMap<ResolvedComponent, Component>,
): readonly Component[] {
  if (resolved.references.length === 0) return noTargets;
  return resolved.references.map(({ target }) => byResolved.get(target)).filter((target) => target !== undefined);
}

const noTargets: readonly Component[] = [];
