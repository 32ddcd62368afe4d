// The actions on the backends of a running program: what is sent, and how the answers of its workers become one.

import { nearestNames } from "@hemi/common";
import { HemiError, type BackendReport, type NodeOrder, type NodeReport, type NodeState } from "@hemi/hemi/base";

/** Which backend to show. */
export interface BackendChoice {
  /** Its name. Default: all of them. */
  readonly backend?: string;
}

/** What a node shall do from now on, over reloads and in workers to come. What is not given stays as it is. */
export interface NodeChange {
  /** The name of the backend. */
  readonly backend: string;
  /** As it is written in the configuration, or one of the addresses that its name has. */
  readonly node: string;
  /** Whether it takes no new requests and connections. */
  readonly isDrained?: boolean;
  /** From 1 to 1000; `null`: that of the configuration. */
  readonly weight?: number | null;
}

/** A node, as all workers see it. */
export interface ProgramNode extends NodeReport {
  /** As most workers see it. */
  readonly state: NodeState;
  /** How many workers see it in each state. */
  readonly states: Partial<Readonly<Record<NodeState, number>>>;
}

/** A backend in all workers: numbers are summed. */
export interface ProgramBackend extends BackendReport {
  readonly nodes: readonly ProgramNode[];
}

/** Sums what each worker tells. */
export function sumOfBackends(reports: readonly (readonly BackendReport[])[]): readonly ProgramBackend[] {
  const byName = Map.groupBy(reports.flat(), ({ name }) => name);
  return [...byName].map(([name, same]) => ({
    name,
    path: same[0]?.path ?? name,
    queued: same.reduce((sum, { queued }) => sum + queued, 0),
    nodes: sumOfNodes(same.flatMap(({ nodes }) => nodes)),
  }));
}

function sumOfNodes(nodes: readonly NodeReport[]): readonly ProgramNode[] {
  return [...Map.groupBy(nodes, ({ node, address }) => `${node}\n${address}`).values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const states: Partial<Record<NodeState, number>> = {};
    for (const { state } of same) states[state] = (states[state] ?? 0) + 1;
    const state = same.reduce((most, node) => {
      return (states[node.state] ?? 0) > (states[most] ?? 0) ? node.state : most;
    }, first.state);
    return {
      ...first,
      state,
      states,
      active: same.reduce((sum, { active }) => sum + active, 0),
      failures: same.reduce((sum, { failures }) => sum + failures, 0),
      lastFailure: same.find(({ lastFailure }) => lastFailure !== "")?.lastFailure ?? "",
    };
  });
}

/** Throws HEMI_USAGE, with the nearest names, if there is none of this name. */
export function backendNamed(name: string, backends: readonly ProgramBackend[]): ProgramBackend {
  const found = backends.find((backend) => backend.name === name);
  if (found !== undefined) return found;
  throw unknown(
    "the program has no backend",
    name,
    backends.map((backend) => backend.name),
  );
}

/** Throws HEMI_USAGE, with the nearest names, if the backend has no such node, and there is no order for one. */
export function assertNode(
  { backend, node }: NodeChange,
  { nodes }: ProgramBackend,
  orders: readonly NodeOrder[],
): void {
  if (orders.some((order) => order.backend === backend && order.node === node)) return;
  const names = [...new Set(nodes.flatMap(({ node, address }) => [node, address]))].filter((name) => name !== "");
  if (!names.includes(node)) throw unknown(`backend ${backend} has no node`, node, names);
}

function unknown(what: string, name: string, known: readonly string[]): HemiError {
  const nearest = nearestNames(name, known);
  const hint =
    nearest.length > 0
      ? `did you mean ${nearest.join(" or ")}?`
      : known.length === 0
        ? "there is none at all"
        : `there are: ${known.slice(0, maxListed).join(", ")}${known.length > maxListed ? ", …" : ""}`;
  return new HemiError("HEMI_USAGE", `${what} ${name}; ${hint}`);
}

/** The orders after a change; those that order nothing are left out. Throws HEMI_USAGE if there are too many. */
export function ordersAfter(change: NodeChange, orders: readonly NodeOrder[]): readonly NodeOrder[] {
  const isMeant = ({ backend, node }: NodeOrder): boolean => backend === change.backend && node === change.node;
  const before = orders.find(isMeant);
  const others = orders.filter((order) => !isMeant(order));
  const weight = change.weight === undefined ? before?.weight : (change.weight ?? undefined);
  const isDrained = change.isDrained ?? before?.isDrained ?? false;
  if (!isDrained && weight === undefined) return others;
  if (others.length >= maxOrders) {
    throw new HemiError("HEMI_USAGE", `${maxOrders} nodes have orders: lift some by up and weight default`);
  }
  const { backend, node } = change;
  return [...others, { backend, node, isDrained, ...(weight === undefined ? {} : { weight }) }];
}

/** Throws HEMI_USAGE. */
export function readBackendChoice(params: unknown): BackendChoice {
  const { backend } = fieldsOf(params);
  if (backend === undefined) return {};
  if (typeof backend !== "string") throw new HemiError("HEMI_USAGE", "backend is the name of a backend");
  return { backend };
}

/** Throws HEMI_USAGE. */
export function readNodeChange(params: unknown): NodeChange {
  const { backend, node, isDrained, weight } = fieldsOf(params);
  if (typeof backend !== "string" || typeof node !== "string") {
    throw new HemiError("HEMI_USAGE", "backend and node are names");
  }
  if (isDrained === undefined && weight === undefined) {
    throw new HemiError("HEMI_USAGE", "isDrained or weight is needed");
  }
  if (isDrained !== undefined && typeof isDrained !== "boolean") {
    throw new HemiError("HEMI_USAGE", "isDrained is true or false");
  }
  if (weight !== undefined && weight !== null && !isWeight(weight)) {
    throw new HemiError("HEMI_USAGE", `weight is a whole number from 1 to ${maxWeight}, or null`);
  }
  return {
    backend,
    node,
    ...(isDrained === undefined ? {} : { isDrained }),
    ...(weight === undefined ? {} : { weight }),
  };
}

/** As in a configuration. */
function isWeight(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= maxWeight;
}

function fieldsOf(params: unknown): Readonly<Record<string, unknown>> {
  return typeof params === "object" && params !== null ? { ...params } : {};
}

export const maxWeight = 1000;
const maxListed = 10;
/** Each worker is told all of them. */
const maxOrders = 1000;
