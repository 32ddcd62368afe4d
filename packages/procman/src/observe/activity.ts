// What the components of a program do: rows of two reports of their numbers, or of one since the start.

import { countGroups, durationBounds, type CountBlock, type CountReport } from "@hemi/hemi/base";

/** What a component did within a time. Rates are for each second. */
export interface ActivityRow {
  /** For example `webapp.shop`, `webapp.shop/rule.assets/static`, `http1Backend.api 127.0.0.1:8080`. */
  readonly path: string;
  readonly kind: "webapp" | "handlet" | "node" | "server" | "dealet";
  /** Requests; connections of a server, a router or a dealet. */
  readonly rate: number;
  /**
   * Responses from 500 on; failed attempts of a node; refused connections of a server; connections of a dealet that
   * have ended by a fault of the node or of ours.
   */
  readonly errorRate: number;
  /** Durations in ms, interpolated within the buckets; of a dealet until a node was connected. `null`: none. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** Bytes of content. */
  readonly received: number;
  readonly sent: number;
  /** Requests or connections at the end of the time. */
  readonly underWay: number;
}

/** What a worker process used within a time. */
export interface WorkerRow {
  readonly slot: number;
  /** The share of the time in which the event loop was not idle: 0 to 1. */
  readonly loop: number;
  /** The share of the time that was spent on garbage collection. */
  readonly collecting: number;
  /** In ms, of the last 15 s or so. */
  readonly loopDelay: number;
  /** In bytes. */
  readonly rss: number;
  readonly heapUsed: number;
}

export interface Activity {
  /** In seconds. */
  readonly time: number;
  /** Of all webapps, all nodes, and all servers and routers. */
  readonly totals: ActivityTotals;
  readonly components: readonly ActivityRow[];
  readonly workers: readonly WorkerRow[];
}

export interface ActivityTotals {
  readonly requests: ActivityRow;
  readonly attempts: ActivityRow;
  readonly conns: ActivityRow;
}

/** Between two reports, `time` seconds apart; without `before`: since the start, which was `time` seconds ago. */
export function activityOf(before: CountReport, after: CountReport, time: number): Activity {
  const blocks = growthOf(before, after, time);
  const inGroup = (group: string): readonly Growth[] => blocks.filter(({ block }) => block.group === group);
  const requests = inGroup("request");
  const webapps = Map.groupBy(requests, ({ block }) => block.labels[0] ?? "");
  const underWay = new Map(inGroup("webapp").map((delta) => [delta.block.labels[0] ?? "", delta.now("underWay")]));
  const components: ActivityRow[] = [];
  for (const [name, deltas] of webapps) {
    components.push(requestRow(`webapp.${name}`, "webapp", deltas, underWay.get(name) ?? 0));
    for (const delta of deltas) {
      const [, rule = "", handlet = ""] = delta.block.labels;
      const steps = [`webapp.${name}`, ...(rule === "" ? [] : [`rule.${rule}`]), ...(handlet === "" ? [] : [handlet])];
      if (steps.length > 1) components.push(requestRow(steps.join("/"), "handlet", [delta], 0));
    }
  }
  const nodes = inGroup("node");
  const servers = inGroup("server");
  for (const delta of nodes) components.push(nodeRow(nodePath(delta), [delta]));
  for (const delta of servers) components.push(serverRow(serverPath(delta), [delta]));
  for (const delta of inGroup("conn")) components.push(dealetRow(delta));
  const allUnderWay = [...underWay.values()].reduce((a, b) => a + b, 0);
  const totals = {
    requests: requestRow("requests", "webapp", requests, allUnderWay),
    attempts: nodeRow("attempts", nodes),
    conns: serverRow("conns", servers),
  };
  // A worker that has ended has no memory any more, until another one takes its slot.
  const workers = inGroup("process").filter((delta) => delta.now("resident") > 0);
  return { time, totals, components, workers: workers.map(workerRow) };
}

function nodePath({ block }: Growth): string {
  const [backend = "", sign = "", node = ""] = block.labels;
  return `${sign}.${backend} ${node}`;
}

function serverPath({ block }: Growth): string {
  const [server = "", sign = ""] = block.labels;
  return `${sign}.${server}`;
}

function summed(deltas: readonly Growth[], numberOf: (delta: Growth) => number): number {
  return deltas.reduce((total, delta) => total + numberOf(delta), 0);
}

/** For each slice of the later report, `time` seconds after the other one. */
export function growthOf(before: CountReport, after: CountReport, time: number): readonly Growth[] {
  const earlier = new Map(before.map((block) => [keyOf(block), block]));
  return after.map((block) => new Growth(block, earlier.get(keyOf(block)), time));
}

function requestRow(path: string, kind: ActivityRow["kind"], deltas: readonly Growth[], underWay: number): ActivityRow {
  const sum = (...names: readonly string[]): number =>
    summed(deltas, (delta) => names.reduce((all, name) => all + delta.rate(name), 0));
  return {
    path,
    kind,
    rate: sum("none", "status1xx", "status2xx", "status3xx", "status4xx", "status5xx", "other"),
    errorRate: sum("status5xx"),
    ...percentilesOf(deltas),
    received: sum("received"),
    sent: sum("sent"),
    underWay,
  };
}

function nodeRow(path: string, deltas: readonly Growth[]): ActivityRow {
  return {
    path,
    kind: "node",
    rate: summed(deltas, (delta) => delta.rate("good") + delta.rate("failed") + delta.rate("abandoned")),
    errorRate: summed(deltas, (delta) => delta.rate("failed")),
    ...percentilesOf(deltas),
    received: 0,
    sent: 0,
    underWay: summed(deltas, (delta) => delta.now("active")),
  };
}

function serverRow(path: string, deltas: readonly Growth[]): ActivityRow {
  return {
    path,
    kind: "server",
    rate: summed(deltas, (delta) => delta.rate("accepted")),
    errorRate: summed(deltas, (delta) => delta.rate("refused")),
    p50: null,
    p99: null,
    received: 0,
    sent: 0,
    underWay: summed(deltas, (delta) => delta.now("open")),
  };
}

/** Connections that no dealet has taken stand in the row of `untaken`. */
function dealetRow(delta: Growth): ActivityRow {
  const [router = "", sign = "", name = "", dealet = ""] = delta.block.labels;
  const steps = [`${sign}.${router}`, ...(name === "" ? [] : [`case.${name}`]), dealet === "" ? "untaken" : dealet];
  const sum = (names: readonly string[]): number => names.reduce((all, end) => all + delta.rate(end), 0);
  return {
    path: steps.join("/"),
    kind: "dealet",
    rate: sum([...usualEnds, ...faultyEnds]),
    errorRate: sum(faultyEnds),
    ...percentilesOf([delta]),
    received: delta.rate("received"),
    sent: delta.rate("sent"),
    underWay: delta.now("underWay"),
  };
}

/** How connections of routers end: see `ConnEndReason`. */
const usualEnds = ["complete", "handedOver", "clientAborted", "notTaken", "refused", "idleTimeout", "maxDuration"];
const faultyEnds = ["nodeAborted", "noNode", "nodeDown", "error", "shutdown"];

function workerRow(delta: Growth): WorkerRow {
  return {
    slot: Number(delta.block.labels[0]),
    loop: delta.rate("loopBusy"),
    collecting: delta.rate("collecting"),
    loopDelay: delta.now("loopDelayHigh") * 1000,
    rss: delta.now("resident"),
    heapUsed: delta.now("heapUsed"),
  };
}

function percentilesOf(deltas: readonly Growth[]): Pick<ActivityRow, "p50" | "p99"> {
  const counts = new Array<number>(durationBounds.length + 1).fill(0);
  for (const delta of deltas) delta.buckets().forEach((count, i) => (counts[i] = (counts[i] ?? 0) + count));
  return { p50: percentileOf(counts, 0.5), p99: percentileOf(counts, 0.99) };
}

/** In ms. What is beyond the last bound counts as this bound. */
export function percentileOf(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((a, b) => a + b, 0);
  if (total === 0) return null;
  let before = 0;
  for (const [i, count] of counts.entries()) {
    if (before + count < share * total) {
      before += count;
      continue;
    }
    const low = durationBounds[i - 1] ?? 0;
    const high = durationBounds[i] ?? low;
    return (low + ((high - low) * (share * total - before)) / Math.max(count, 1)) * 1000;
  }
  return null;
}

/** What has changed of one slice. */
export class Growth {
  readonly block: CountBlock;
  readonly #before: CountBlock | undefined;
  readonly #time: number;

  constructor(block: CountBlock, before: CountBlock | undefined, time: number) {
    this.block = block;
    this.#before = before;
    this.#time = time;
  }

  /** The number as it is. */
  now(name: string): number {
    return this.block.values[this.#at(name)] ?? 0;
  }

  /** Its growth for each second. */
  rate(name: string): number {
    return this.growth(name) / this.#time;
  }

  /** A worker that was replaced begins anew: what it has by now is its growth. */
  growth(name: string): number {
    return this.#growth(this.#at(name));
  }

  buckets(): readonly number[] {
    const first = this.#at("durations");
    return Array.from({ length: durationBounds.length + 1 }, (_, i) => this.#growth(first + i));
  }

  #growth(at: number): number {
    const now = this.block.values[at] ?? 0;
    const before = this.#before?.values[at] ?? 0;
    return now < before ? now : now - before;
  }

  #at(name: string): number {
    const places: Readonly<Record<string, number>> =
      countGroups.find((group) => group.name === this.block.group)?.at ?? {};
    return places[name] ?? 0;
  }
}

function keyOf({ group, labels }: CountBlock): string {
  return [group, ...labels].join("\n");
}
