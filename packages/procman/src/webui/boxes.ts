// The boxes of the picture of a stage: which components are in each, and what they do.

import type { ListedComponent } from "@hemi/hemi";
import type { Activity, ActivityRow } from "../observe/activity.ts";

/** As the page lays them out. */
const boxNames = [
  "cronjobs",
  "otherServers",
  "routers",
  "rpcServers",
  "webServers",
  "cases",
  "services",
  "webapps",
  "rules",
  "staters",
  "cachers",
  "backends",
  "outgates",
  "addons",
  "fixtures",
] as const;
export type BoxName = (typeof boxNames)[number];

/** A box at this moment. Without numbers: its components do not count requests or connections. */
export interface Box {
  readonly name: BoxName;
  /** How many components are in it. */
  readonly count: number;
  readonly rate: number | null;
  readonly errorRate: number | null;
  /** In ms. */
  readonly p99: number | null;
}

export function isBoxName(name: string): name is BoxName {
  return boxNames.some((known) => known === name);
}

export function boxOf({ kind, sign }: Pick<ListedComponent, "kind" | "sign">): BoxName {
  if (kind === "server")
    return sign === "rpcServer" ? "rpcServers" : webServers.has(sign) ? "webServers" : "otherServers";
  return boxOfKind.get(kind) ?? "addons";
}

/** All boxes, the empty ones too. */
export function boxesOf(
  components: readonly ListedComponent[],
  { totals, components: rows }: Activity,
): readonly Box[] {
  const counts = new Map<BoxName, number>();
  const listening = new Map<string, BoxName>();
  for (const component of components) {
    const name = boxOf(component);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (component.kind === "server" || component.kind === "router") listening.set(component.path, name);
  }
  const byBox = Map.groupBy(
    rows.filter(({ kind }) => kind === "server"),
    ({ path }) => listening.get(path),
  );
  const numbersOf = (name: BoxName): Omit<Box, "name" | "count"> => {
    if (name === "webapps" || name === "rules") return totals.requests;
    if (name === "backends") return totals.attempts;
    return listeningBoxes.has(name) ? sumOf(byBox.get(name) ?? []) : silent;
  };
  return boxNames.map((name) => {
    const count = counts.get(name) ?? 0;
    const { rate, errorRate, p99 } = count === 0 ? silent : numbersOf(name);
    return { name, count, rate, errorRate, p99 };
  });
}

function sumOf(rows: readonly ActivityRow[]): Omit<Box, "name" | "count"> {
  const sum = (numberOf: (row: ActivityRow) => number): number => rows.reduce((all, row) => all + numberOf(row), 0);
  return { rate: sum(({ rate }) => rate), errorRate: sum(({ errorRate }) => errorRate), p99: null };
}

const silent = { rate: null, errorRate: null, p99: null };
const listeningBoxes: ReadonlySet<BoxName> = new Set(["otherServers", "routers", "rpcServers", "webServers"]);
const webServers: ReadonlySet<string> = new Set(["httpxServer", "http3Server", "forwardProxy"]);
const boxOfKind: ReadonlyMap<string, BoxName> = new Map([
  ["cronjob", "cronjobs"],
  ["router", "routers"],
  ["case", "cases"],
  ["dealet", "cases"],
  ["service", "services"],
  ["webapp", "webapps"],
  ["rule", "rules"],
  ["handlet", "rules"],
  ["reviser", "rules"],
  ["socklet", "rules"],
  ["stater", "staters"],
  ["cacher", "cachers"],
  ["backend", "backends"],
  ["outgate", "outgates"],
  ["addon", "addons"],
  ["fixture", "fixtures"],
]);
