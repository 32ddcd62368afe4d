// What advice is based on: what the program has counted within some time, and the limits that it runs under.

import type { CountReport } from "@hemi/hemi/base";
import type { ProgramBackend } from "../backends/backend-actions.ts";
import { growthOf, type Growth } from "../observe/activity.ts";

export interface Facts {
  /** How long was counted, in seconds. */
  readonly time: number;
  readonly machine: MachineFacts;
  readonly workers: readonly WorkerFacts[];
  readonly servers: readonly ServerFacts[];
  readonly backends: readonly BackendFacts[];
  readonly exporters: readonly { readonly path: string; readonly dropped: number }[];
}

/** Of the machine or the container. `undefined`: the system does not tell. */
export interface MachineFacts {
  /** Processors that the program may use. */
  readonly cpus: number;
  /** The sysctl net.core.somaxconn: the longest queue of new connections. */
  readonly somaxconn: number | undefined;
  /** Connections that were dropped within the time because such a queue was full; of all programs. */
  readonly listenDrops: number | undefined;
  /** In bytes, of the control group. */
  readonly memoryLimit: number | undefined;
}

export interface WorkerFacts {
  readonly slot: number;
  /** Shares of the time: 0 to 1. */
  readonly loop: number;
  readonly collecting: number;
  /** The 99th percentile, in ms. */
  readonly loopDelay: number;
  /** In bytes. */
  readonly rss: number;
  readonly descriptors: number;
  /** 0: not known. */
  readonly maxDescriptors: number;
}

/** Of a server or router, within the time. */
export interface ServerFacts {
  readonly path: string;
  readonly refused: number;
  readonly fullHandshakes: number;
  readonly resumedHandshakes: number;
  /** As configured, for all workers. */
  readonly maxConns: number;
}

/** Of a backend, within the time. */
export interface BackendFacts {
  readonly path: string;
  readonly refused: number;
  readonly attempts: number;
  readonly retries: number;
  /** Retries because a node had closed a kept connection. */
  readonly stale: number;
  /** As configured: how long an idle connection is kept, in ms; `undefined`: not known. */
  readonly aliveTimeout: number | undefined;
  readonly nodes: ProgramBackend["nodes"];
}

/** Numbers in the props of a component that stands directly under the stage. */
export interface ComponentLimits {
  readonly path: string;
  readonly limits: Readonly<Record<string, number>>;
}

export interface FactSources {
  readonly before: CountReport;
  readonly after: CountReport;
  /** Between both, in seconds. */
  readonly time: number;
  readonly machine: MachineFacts;
  readonly backends: readonly ProgramBackend[];
  readonly limits: readonly ComponentLimits[];
}

export function factsOf({ before, after, time, machine, backends, limits }: FactSources): Facts {
  const growths = growthOf(before, after, time);
  const inGroup = (group: string): readonly Growth[] => growths.filter(({ block }) => block.group === group);
  const pathOf = ({ block }: Growth): string => `${block.labels[1] ?? ""}.${block.labels[0] ?? ""}`;
  return {
    time,
    machine,
    workers: inGroup("process").map((worker) => ({
      slot: Number(worker.block.labels[0]),
      loop: worker.rate("loopBusy"),
      collecting: worker.rate("collecting"),
      loopDelay: worker.now("loopDelayHigh") * 1000,
      rss: worker.now("resident"),
      descriptors: worker.now("descriptors"),
      maxDescriptors: worker.now("maxDescriptors"),
    })),
    // What has counted nothing has no slice in the reports.
    servers: limits.flatMap(({ path, limits: { maxConns } }) => {
      if (maxConns === undefined) return [];
      const server = inGroup("server").find((one) => pathOf(one) === path);
      return {
        path,
        refused: server?.growth("refused") ?? 0,
        fullHandshakes: server?.growth("fullHandshakes") ?? 0,
        resumedHandshakes: server?.growth("resumedHandshakes") ?? 0,
        maxConns,
      };
    }),
    backends: backends.map(({ path, nodes: states }) => {
      const backend = inGroup("backend").find((one) => pathOf(one) === path);
      const nodes = inGroup("node").filter((node) => pathOf(node) === path);
      return {
        path,
        refused: backend?.growth("refused") ?? 0,
        retries: backend?.growth("retries") ?? 0,
        stale: nodes.reduce((sum, node) => sum + node.growth("stale"), 0),
        attempts: nodes.reduce((sum, node) => sum + node.growth("good") + node.growth("failed"), 0),
        aliveTimeout: limits.find((component) => component.path === path)?.limits["aliveTimeout"],
        nodes: states,
      };
    }),
    exporters: inGroup("exporter").map((exporter) => ({
      path: pathOf(exporter),
      dropped: exporter.growth("dropped") + exporter.growth("droppedLines"),
    })),
  };
}
