// What a reload would cost at this moment: the work of the components that it would drop.

import type { Component } from "../component/component.ts";
import type { EndingWork } from "../component/part.ts";
import { usersOf } from "./composition.ts";
import { withDescendants, type Generation } from "./generation.ts";
import { drainTimeoutOf } from "./settings.ts";

/** The work of one component that would have to end. */
export interface ComponentCost extends EndingWork {
  /** For example `http1Backend.api`. */
  readonly path: string;
  /** Connections of a server that is dropped itself: they end after what runs on them. */
  readonly conns: number;
}

/** What a reload costs. */
export interface ReloadCost {
  /** Only those with work. */
  readonly components: readonly ComponentCost[];
  /** Open connections that notice nothing. */
  readonly untouchedConns: number;
  /** In milliseconds: what is not over by then is broken off. */
  readonly drainTimeout: number;
}

/** `paths`: the components that would be dropped or replaced. Unknown ones are ignored. */
export function reloadCost(generation: Generation, paths: readonly string[]): ReloadCost {
  const found = paths.map((path) => generation.find(path)).filter((component) => component !== undefined);
  const dropped = new Set(withDescendants(found));
  const users = usersOf(dropped, generation);
  const [droppedParts, userParts] = [partsOf(dropped), partsOf(users)];
  const pathOf = new Map([...generation.components()].map(({ part, path }): [object, string] => [part, path]));
  const components: ComponentCost[] = [];
  let untouchedConns = 0;
  for (const component of generation.components()) {
    const work = component.part.countWork?.(droppedParts, userParts);
    if (work === undefined) continue;
    const isDropped = dropped.has(component);
    let ended = 0;
    for (const [part, ending] of work.ending) {
      ended += ending.webSockets + ending.tunnels;
      components.push({ path: pathOf.get(part) ?? component.path, conns: 0, ...ending });
    }
    if (!isDropped) untouchedConns += work.conns - ended;
    else if (work.conns > 0)
      components.push({ path: component.path, conns: work.conns, requests: 0, webSockets: 0, tunnels: 0 });
  }
  return { components, untouchedConns, drainTimeout: drainTimeoutOf(generation.resolved) };
}

function partsOf(components: Iterable<Component>): ReadonlySet<object> {
  return new Set([...components].map(({ part }) => part));
}
