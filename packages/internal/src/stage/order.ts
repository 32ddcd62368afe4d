// The two orders in which components are visited:
//
//   raising   rank 0 ──> rank 6; siblings side by side; children before their owner; a sibling after those it refers to
//   sinking   rank 6 ──> rank 0; siblings side by side; owner before its children; a sibling before those it refers to

import { isPromiseLike } from "@hemi/common";
import type { Component } from "../component/component.ts";

export interface Visitor {
  /** Called before each visit. After it returns false, nothing more is visited. */
  mayGoOn(): boolean;
  /** Never throws, and never rejects. Of thousands of components, most are done at once and return nothing. */
  visit(component: Component): void | Promise<void>;
}

export async function raisingOrder(siblings: readonly Component[], walk: Visitor): Promise<void> {
  for (const group of groupsByRank(siblings)) {
    await sideBySide(group, referredAmong(group), (component) => {
      const visit = (): void | Promise<void> => (walk.mayGoOn() ? walk.visit(component) : undefined);
      return component.children.length === 0 ? visit() : raisingOrder(component.children, walk).then(visit);
    });
  }
}

export async function sinkingOrder(siblings: readonly Component[], walk: Visitor): Promise<void> {
  for (const group of groupsByRank(siblings).reverse()) {
    await sideBySide(group, reversed(referredAmong(group)), (component) => {
      const visited = walk.mayGoOn() ? walk.visit(component) : undefined;
      if (component.children.length === 0) return visited;
      return Promise.resolve(visited).then(() => sinkingOrder(component.children, walk));
    });
  }
}

/** For each component of a group, the members that come before it. There are no cycles: the check excludes them. */
type Precedence = ReadonlyMap<Component, readonly Component[]>;

/** Visits all in parallel, but each only after its predecessors. */
async function sideBySide(
  group: readonly Component[],
  precedence: Precedence,
  run: (component: Component) => void | Promise<void>,
): Promise<void> {
  if (precedence.size === 0) {
    const visits: Promise<void>[] = [];
    for (const component of group) {
      const visit = run(component);
      if (isPromiseLike(visit)) visits.push(visit);
    }
    await Promise.all(visits);
    return;
  }
  const running = new Map<Component, Promise<void>>();
  const begin = (component: Component): Promise<void> => {
    const begun = running.get(component);
    if (begun !== undefined) return begun;
    const before = precedence.get(component);
    const begins =
      before === undefined
        ? Promise.resolve(run(component))
        : Promise.all(before.map(begin)).then(() => run(component));
    running.set(component, begins);
    return begins;
  };
  await Promise.all(group.map(begin));
}

function groupsByRank(siblings: readonly Component[]): (readonly Component[])[] {
  const groups = Map.groupBy(siblings, ({ kind }) => kind.rank);
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}

function referredAmong(group: readonly Component[]): Precedence {
  const precedence = new Map<Component, readonly Component[]>();
  if (group.every(({ resolved }) => resolved.references.length === 0)) return precedence;
  const byResolved = new Map(group.map((component) => [component.resolved, component]));
  for (const component of group) {
    const referred = component.resolved.references
      .map(({ target }) => byResolved.get(target))
      .filter((target) => target !== undefined);
    if (referred.length > 0) precedence.set(component, referred);
  }
  return precedence;
}

function reversed(precedence: Precedence): Precedence {
  const reverse = new Map<Component, Component[]>();
  for (const [component, referred] of precedence) {
    for (const target of referred) {
      const list = reverse.get(target);
      if (list === undefined) reverse.set(target, [component]);
      else list.push(component);
    }
  }
  return reverse;
}
