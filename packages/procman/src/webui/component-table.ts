// The components of the running configuration with what they do: fetched once for each configuration, shown in pages.

import type { ListedComponent } from "@hemi/hemi";
import type { ComponentPage } from "../channel/calls.ts";
import type { ActivityRow } from "../observe/activity.ts";
import { boxOf, type BoxName } from "./boxes.ts";

/** A component with what it does at this moment; numbers are `null` if it does not count. */
export interface ComponentRow extends ListedComponent {
  readonly box: BoxName;
  /** The path under which it counts; its history has it, too. `undefined`: it does not count. */
  readonly counted: string | undefined;
  readonly rate: number | null;
  readonly errorRate: number | null;
  readonly p99: number | null;
  readonly underWay: number | null;
}

export interface ComponentQuery {
  /** Default: all. */
  readonly box: BoxName | undefined;
  /** Texts that the path has to contain, each of them, in any case. */
  readonly filter: string;
  readonly from: number;
  readonly count: number;
}

export class ComponentTable {
  readonly #read: (from: number) => Promise<ComponentPage>;
  #generation = -1;
  #components: readonly ListedComponent[] = [];
  #fetching: Promise<readonly ListedComponent[]> | undefined;

  constructor(read: (from: number) => Promise<ComponentPage>) {
    this.#read = read;
  }

  /** Those of a generation, which are kept until the next one. */
  async all(generation: number): Promise<readonly ListedComponent[]> {
    if (generation === this.#generation) return this.#components;
    this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined));
    this.#components = await this.#fetching;
    this.#generation = generation;
    return this.#components;
  }

  /** Those that the query asks for, in the order of the configuration, with what they do. */
  async page(generation: number, query: ComponentQuery, rows: readonly ActivityRow[]) {
    const words = query.filter.toLowerCase().split(/\s+/).filter(Boolean);
    const found = (await this.all(generation)).filter(
      (component) =>
        (query.box === undefined || boxOf(component) === query.box) &&
        words.every((word) => component.path.toLowerCase().includes(word)),
    );
    const shown = found.slice(query.from, query.from + query.count);
    return { total: found.length, components: shown.map((component) => rowOf(component, rows)) };
  }

  async #fetch(): Promise<readonly ListedComponent[]> {
    const components: ListedComponent[] = [];
    for (;;) {
      const page = await this.#read(components.length);
      components.push(...page.components);
      if (page.components.length === 0 || components.length >= page.total) return components;
    }
  }
}

export function rowOf(component: ListedComponent, rows: readonly ActivityRow[]): ComponentRow {
  const counted = countedPath(component);
  const box = boxOf(component);
  if (counted === undefined) return { ...component, box, counted, ...silent };
  // A rule counts what its handlets do, a case what its dealets do, and a backend what its nodes do.
  const own = rows.filter(({ path }) => path === counted);
  const parts =
    component.kind === "rule" || component.kind === "case" || component.kind === "backend"
      ? rows.filter(({ path }) => path.startsWith(`${counted}/`) || path.startsWith(`${counted} `))
      : [];
  const all = [...own, ...parts];
  const sum = (numberOf: (row: ActivityRow) => number): number => all.reduce((total, row) => total + numberOf(row), 0);
  const slowest = Math.max(-1, ...all.map(({ p99 }) => p99 ?? -1));
  return {
    ...component,
    box,
    counted,
    rate: sum(({ rate }) => rate),
    errorRate: sum(({ errorRate }) => errorRate),
    p99: slowest < 0 ? null : slowest,
    underWay: sum(({ underWay }) => underWay),
  };
}

/** As `activityOf` names it. Labels have names only: unnamed rules, and unnamed cases of a router, count together. */
function countedPath({ kind, sign, name, path, webapp, rule }: ListedComponent): string | undefined {
  switch (kind) {
    case "webapp":
    case "server":
    case "router":
    case "backend":
      return path;
    case "case":
      return name === "" ? undefined : path;
    case "dealet": {
      const steps = path.split("/").slice(0, -1);
      // A dealet that stands in its router counts for the cases that name it.
      return steps.length < 2 ? undefined : [...steps.filter(isNamed), sign].join("/");
    }
    case "rule":
      return name === "" ? undefined : `webapp.${webapp}/rule.${name}`;
    case "handlet":
      return [`webapp.${webapp}`, ...(rule === "" ? [] : [`rule.${rule}`]), sign].join("/");
    default:
      return undefined;
  }
}

/** A step of a path: `case.ssh`, but not `case.2` or `case`. */
function isNamed(step: string): boolean {
  return !/^case(?:\.\d+)?$/.test(step);
}

const silent = { rate: null, errorRate: null, p99: null, underWay: null };
