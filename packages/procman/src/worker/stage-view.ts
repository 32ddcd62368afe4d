// What a process tells of the stage that it serves: components, props, walks of requests.

import { nearestNames } from "@hemi/common";
import { describeProps, listComponents, type DescribedProp, type ListedComponent, type Stage } from "@hemi/hemi";
import type { Walk } from "@hemi/hemi";
import type { WorkerCalls } from "../channel/calls.ts";

export class StageView {
  readonly #stage: Stage;
  /** Of the running generation, once somebody has asked. */
  #listed: { readonly stage: Stage["resolved"]; readonly components: readonly ListedComponent[] } | undefined;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  explain({ method, url, headers, from, server }: WorkerCalls["explain"]["params"]): Promise<Walk> {
    const request = { url, headers, ...(method === undefined ? {} : { method }) };
    return this.#stage.explain(
      { ...request, ...(from === undefined ? {} : { srcHost: from }) },
      server === undefined ? {} : { into: server },
    );
  }

  components({ from }: WorkerCalls["components"]["params"]): WorkerCalls["components"]["result"] {
    const stage = this.#stage.resolved;
    if (this.#listed?.stage !== stage) this.#listed = { stage, components: listComponents(stage) };
    const { components } = this.#listed;
    return { total: components.length, components: components.slice(from, from + maxListed) };
  }

  props({ path }: WorkerCalls["props"]["params"]): readonly DescribedProp[] | null {
    return describeProps(this.#stage.resolved, path) ?? null;
  }

  findPath({ path }: WorkerCalls["findPath"]["params"]): WorkerCalls["findPath"]["result"] {
    if (this.#stage.find(path) !== undefined) return { isKnown: true, nearest: [] };
    const paths = [...this.#stage.components()].map((component) => component.path);
    return { isKnown: false, nearest: nearestNames(path, paths) };
  }
}

/** How many components are told at once: the event loop has other work. */
const maxListed = 1000;
