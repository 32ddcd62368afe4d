// What a reload would do, as plain data for people and programs.

import { formatOrigin, originOf } from "../config/origin.ts";
import { difference, type Pair } from "../component/difference.ts";
import { isModule } from "../component/props/files.ts";
import { plainProps } from "../component/resolve/plain-props.ts";
import type { ResolvedComponent } from "../component/resolve/resolved.ts";

/**
 * What becomes of a component:
 *
 * - `updated`: it continues, with new values of live props;
 * - `recomposed`: it continues, with other children;
 * - `replaced`: a new one takes its place, and it finishes its work;
 * - `created`: it is new;
 * - `dropped`: it finishes its work, and is shut down.
 */
export type Fate = "updated" | "recomposed" | "replaced" | "created" | "dropped";

/** One component that does not continue unchanged. */
export interface PlannedChange {
  /** What becomes of it. */
  readonly fate: Fate;
  /** Of the new configuration; for a dropped component, of the running one. */
  readonly path: string;
  /** `shop.conf:12:5`; `undefined` for a TypeScript object. */
  readonly place: string | undefined;
  /** `maxConns changes from 100 to 200`. Empty for what is created or dropped. */
  readonly reasons: readonly string[];
}

/** The difference between two configurations. */
export interface Plan {
  /** How many components continue unchanged. */
  readonly kept: number;
  /** In the order of the new configuration, owners before their children; then what is dropped. */
  readonly changes: readonly PlannedChange[];
}

/** Compares two stages. Has no side effects. */
export function planBetween(before: ResolvedComponent, after: ResolvedComponent): Plan {
  const { kept, updated, created, dropped, recomposed } = difference(before, after);
  const changes = new Map<ResolvedComponent, PlannedChange>();
  for (const pair of recomposed) changes.set(pair.after, changeOf("recomposed", pair.after, childrenReasons(pair)));
  for (const pair of updated) {
    const others = changes.get(pair.after)?.reasons ?? [];
    changes.set(pair.after, changeOf("updated", pair.after, [...propReasons(pair, pair.changed), ...others]));
  }
  const replaced = new Set<ResolvedComponent>();
  const leaving = Map.groupBy(dropped, ({ path, sign }) => `${sign} ${path}`);
  for (const component of created) {
    const former = leaving.get(`${component.sign} ${component.path}`)?.shift();
    if (former === undefined) changes.set(component, changeOf("created", component, []));
    else {
      replaced.add(former);
      changes.set(component, changeOf("replaced", component, replacedReasons({ before: former, after: component })));
    }
  }
  const ordered = [...descendants(after)].map((component) => changes.get(component));
  return {
    kept: kept.length,
    changes: [
      ...ordered.filter((change) => change !== undefined),
      ...dropped.filter((component) => !replaced.has(component)).map((component) => changeOf("dropped", component, [])),
    ],
  };
}

/** The files of the modules that a configuration names, each once. */
export function modulesNamedIn(root: ResolvedComponent): readonly string[] {
  const files = new Set<string>();
  for (const { props } of descendants(root))
    for (const value of Object.values(props)) if (isModule(value)) files.add(value.file);
  return [...files];
}

function changeOf(fate: Fate, { path, span }: ResolvedComponent, reasons: readonly string[]): PlannedChange {
  const origin = originOf(span);
  const place = origin === undefined ? undefined : formatOrigin(origin);
  return { fate, path, place, reasons };
}

function replacedReasons(pair: Pair): readonly string[] {
  const { definition } = pair.after;
  const names = Object.entries(definition?.props ?? {}).filter(([, { reload }]) => reload === "recreate");
  const reasons = propReasons(pair, new Set(names.map(([name]) => name)));
  if (JSON.stringify(pair.before.condition) !== JSON.stringify(pair.after.condition))
    return ["the condition changes", ...reasons];
  return reasons.length > 0 ? reasons : ["the component around it is replaced"];
}

/** The given props, as far as they differ, each as it is written. */
function propReasons({ before, after }: Pair, names: ReadonlySet<string>): readonly string[] {
  const [were, are] = [plainProps(before), plainProps(after)];
  return [...names]
    .filter((name) => JSON.stringify(were[name]) !== JSON.stringify(are[name]))
    .map((name) => `${name} changes from ${written(before, name)} to ${written(after, name)}`);
}

/** The text of the configuration; for a TypeScript object, and for a default, the value. */
function written(component: ResolvedComponent, name: string): string {
  const { span } = component.placeOf(name);
  const text = span.source.text?.slice(span.start, span.end);
  if (text !== undefined && text !== component.sign) return clipped(text.replaceAll(/\s+/g, " "));
  const value = plainProps(component)[name];
  return value === undefined ? "nothing" : clipped(JSON.stringify(value));
}

function childrenReasons({ before, after }: Pair): readonly string[] {
  const count = (component: ResolvedComponent): number => component.children.length;
  if (count(before) !== count(after)) return [`it has ${count(after)} components inside instead of ${count(before)}`];
  return ["components inside it are others, or in another order"];
}

function clipped(text: string): string {
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}

function* descendants({ children }: ResolvedComponent): Iterable<ResolvedComponent> {
  for (const child of children) {
    yield child;
    yield* descendants(child);
  }
}

/** In characters: a list of a thousand nodes is not to be read in a terminal. */
const maxShown = 60;
